"""Batches of an evaluation, from small shards of drawn images."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
import torch

from ssd_core.data.evaluation_stream import evaluation_batches
from ssd_core.data.shards import ShardSet

if TYPE_CHECKING:
    from pathlib import Path

IMAGES = 11


@pytest.mark.parametrize("processes", [0, 2])
def test_evaluation_yields_the_rows_in_order_resized_bilinearly_with_their_sizes(
    shards: ShardSet, processes: int, drawn
):
    batches = list(
        evaluation_batches(shards, input_size=32, batch_size=4, rows=range(2, 11), loader_processes=processes)
    )
    assert [len(batch.image_ids) for batch in batches] == [4, 4, 1]
    assert [name for batch in batches for name in batch.image_ids] == [f"image{number}" for number in range(2, 11)]
    assert torch.cat([batch.rows for batch in batches]).tolist() == list(range(2, 11))
    assert torch.cat([batch.sizes_wh for batch in batches]).tolist() == [[60 + n, 50 - n] for n in range(2, 11)]
    rgb = cv2.cvtColor(cv2.imdecode(np.frombuffer(drawn(2).image, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    np.testing.assert_array_equal(batches[0].images[0].permute(1, 2, 0), cv2.resize(rgb, (32, 32)))


def test_evaluation_yields_all_rows_by_default_and_nothing_for_an_empty_selection(shards: ShardSet):
    assert sum(len(batch.image_ids) for batch in evaluation_batches(shards, input_size=8, batch_size=4)) == IMAGES
    assert list(evaluation_batches(shards, input_size=8, batch_size=4, rows=range(0))) == []


def test_an_image_of_another_size_than_its_row_says_is_named(tmp_path: Path, drawn, write):
    broken = write(tmp_path, [replace(drawn(1), width=300)])
    with pytest.raises(ValueError, match=r"image1.*61x49 pixels.*300x49"):
        next(evaluation_batches(broken, input_size=8, batch_size=1))
