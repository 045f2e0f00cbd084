"""The outcomes file reproduces the scores of the detections."""

from __future__ import annotations

import io

import numpy as np

from ssd_core.metrics.voc_ap import Outcomes
from stages.evaluation.outcomes import FIELDS, read_outcomes, write_outcomes


def outcomes(images: list[int], true: list[int], counted: list[int], object_images: list[int]) -> Outcomes:
    return Outcomes(
        images=np.array(images, np.int64),
        true=np.array(true, bool),
        counted=np.array(counted, bool),
        object_images=np.array(object_images, np.int64),
    )


def test_outcomes_survive_a_round_trip() -> None:
    written = [outcomes([0, 2, 1], [1, 0, 0], [1, 1, 0], [0, 2]), outcomes([], [], [], [1])]
    stream = io.BytesIO()
    write_outcomes(stream, written, images=3)
    read, images = read_outcomes(stream.getvalue())
    assert images == 3
    assert len(read) == 2
    for one, other in zip(read, written, strict=True):
        for name in FIELDS:
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
            assert getattr(one, name).dtype == getattr(other, name).dtype


def test_equal_outcomes_give_equal_bytes() -> None:
    first, second = io.BytesIO(), io.BytesIO()
    for stream in (first, second):
        write_outcomes(stream, [outcomes([0], [1], [1], [0])], images=1)
    assert first.getvalue() == second.getvalue()
