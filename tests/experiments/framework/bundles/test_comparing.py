"""Differences between a bundle's numbers and those computed again are named by file and place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from experiments.framework.bundles.comparing import Compared
from pipeline.folder import Folder
from ssd_core.metrics.voc_ap import Outcomes
from stages.evaluation.outcomes import OUTCOMES, write_outcomes

NOTHING = np.zeros(2, np.int32)
OUTCOME = Outcomes(images=NOTHING, true=NOTHING == 0, counted=NOTHING == 0, object_images=NOTHING)


def test_values_are_compared_to_the_last_digit_and_undefined_ones_are_equal() -> None:
    compared = Compared()
    one = {"mAP": 0.1 + 0.2, "none": float("nan"), "cells": [{"mean": 1.0}, {"mean": 2.0}]}
    other = {"mAP": 0.3, "none": float("nan"), "cells": [{"mean": 1.0}, {"mean": 2.5, "new": 1}]}
    compared.add_values("table", one, other)
    assert compared.equal == 2
    assert compared.differences == [
        "table: cells.1.mean is 2.0 in the bundle and 2.5 computed again",
        "table: cells.1.new is absent in the bundle and 1 computed again",
        "table: mAP is 0.30000000000000004 in the bundle and 0.3 computed again",
    ]


def test_files_are_compared_by_what_they_hold(tmp_path: Path) -> None:
    archived, computed = Folder(str(tmp_path / "archived")), Folder(str(tmp_path / "computed"))
    archived.write_json("summary.json", {"a": 1})
    computed.write_bytes("summary.json", b'{ "a": 1 }')
    archived.write_bytes("table.txt", b"a\nb\n")
    computed.write_bytes("table.txt", b"a\nc\n")
    archived.write_bytes("gone.json", b"{}")
    for folder, outcome in ((archived, OUTCOME), (computed, replace(OUTCOME, images=NOTHING + 1))):
        with folder.open_output(OUTCOMES) as stream:
            write_outcomes(stream, [outcome], images=3)
    compared = Compared()
    compared.add("evaluate/a", archived, computed)
    assert compared.equal == 1
    assert compared.differences == [
        "evaluate/a, gone.json: this version does not compute it",
        "evaluate/a, outcomes.npz: images of class 0 differ",
        "evaluate/a, table.txt: line 2 differs",
    ]


def test_outcomes_that_cannot_be_read_are_reported(tmp_path: Path) -> None:
    archived, computed = Folder(str(tmp_path / "archived")), Folder(str(tmp_path / "computed"))
    with computed.open_output(OUTCOMES) as stream:
        write_outcomes(stream, [OUTCOME], images=3)
    archived.write_bytes(OUTCOMES, b"PK" + computed.read_bytes(OUTCOMES)[4:])
    compared = Compared()
    compared.add("evaluate/a", archived, computed)
    assert "outcomes.npz" in compared.differences[0]
