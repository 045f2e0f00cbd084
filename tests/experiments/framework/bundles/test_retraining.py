"""When a row that was trained again is the archived one: equal bits, or a number within the stated bound."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from experiments.framework.bundles.index import CellEntry
from experiments.framework.bundles.retraining import ArchivedRow, Retrained
from pipeline.keys.fingerprint import Ingredients
from pipeline.store.manifest import Manifest

CELL = CellEntry(
    row="all", column="", boxes=1, published=None, metric="", unit="percent", published_classes=[], results=["e"]
)
HERE: dict[str, Any] = {
    "machine": {"processor": "A"},
    "resources": {"cpus": 2, "gpus": 0},
    "libraries": {"torch": "2"},
}
TRAINING = Manifest(
    key="k", address="train/all", variant="", tags={}, ingredients=Ingredients(stage="s"), settings={}, inputs={},
    provenance=HERE, digest="one",
)  # fmt: skip
ROW = ArchivedRow(
    cell=CELL, place=0, score=TRAINING, detections=TRAINING, training=TRAINING, value=0.5, preset="tiny",
    metric="voc07/mAP",
)  # fmt: skip
EQUAL = Retrained(row=ROW, training=TRAINING, detections=TRAINING, value=0.5)
OTHER_BITS = replace(EQUAL, training=replace(TRAINING, digest="other"), value=0.51)


def elsewhere(retrained: Retrained, **provenance: Any) -> Retrained:
    return replace(retrained, training=replace(retrained.training, provenance={**HERE, **provenance}))


def test_equal_bits_are_alike_wherever_they_were_computed() -> None:
    assert EQUAL.is_alike
    assert elsewhere(EQUAL, machine={"processor": "B"}).is_alike
    assert "are equal bit for bit" in EQUAL.text()


def test_other_bits_under_the_same_conditions_are_a_difference_however_small() -> None:
    assert not OTHER_BITS.is_alike
    assert "other weights, although processor, CPUs and versions are the same" in OTHER_BITS.text()


@pytest.mark.parametrize(
    ("provenance", "reason"),
    [
        ({"machine": {"processor": "B"}}, "processor A → B"),
        ({"resources": {"cpus": 4, "gpus": 0}}, "CPUs 2 → 4"),
        ({"libraries": {"torch": "3"}}, "torch 2 → 3"),
        ({"resources": {"cpus": 8, "gpus": 1}}, "trained on a GPU"),
    ],
)
def test_elsewhere_the_number_must_lie_within_the_bound(provenance: dict[str, Any], reason: str) -> None:
    near = elsewhere(OTHER_BITS, **provenance)
    assert near.other_conditions == [reason]
    assert near.is_alike
    assert "within 0.1164" in near.text()  # 1.96 x root of 2 x 4.2 points between seeds at tiny
    assert not replace(near, value=0.62).is_alike
    assert "beyond 0.1164" in replace(near, value=0.62).text()


def test_other_functions_may_give_other_bits() -> None:
    other = replace(OTHER_BITS.training, ingredients=Ingredients(stage="s", code={"m": {"f": "1"}}))
    assert replace(OTHER_BITS, training=other).is_alike
