"""Evaluation of detections against the objects of shards, from files to numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import PipelineError
from pipeline.stage import Context, Stage
from pipeline.store.record import SUMMARY
from ssd_core.data.shards import ShardSet
from ssd_core.metrics.bootstrap import replicate_map
from stages.datasets.voc import VocFolder
from stages.detection.table import DETECTIONS, SCHEMA
from stages.evaluation.evaluate import Evaluate
from stages.evaluation.outcomes import OUTCOMES, read_outcomes
from stages.shards.shard import Shard

Found = tuple[str, int, float, float, float, float, float]
"""image_id, label, score, xmin, ymin, xmax, ymax."""


@dataclass(frozen=True, kw_only=True)
class Given(Stage):
    """Detections written by a test."""

    def run(self, ctx: Context) -> None:
        raise NotImplementedError


@pytest.fixture
def evaluated(in_process, drawn) -> Callable[..., Any]:
    """Result folder for some detections, on the drawn test images unless other shards are given."""

    def run(rows: Iterable[Found], shards: Shard = drawn.test, folders: Any = drawn.folders, **fields: Any) -> Any:
        given = Given()
        written = in_process(given, "given").out
        table = pa.Table.from_pylist([dict(zip(SCHEMA.names, row, strict=True)) for row in rows], schema=SCHEMA)
        with written.open_output(DETECTIONS) as stream:
            pq.write_table(table, stream)
        stage = Evaluate(detections=given, shards=shards, **fields)
        ctx = in_process(stage, "evaluated", {**folders, given: written})
        stage.run(ctx)
        return ctx.out

    return run


def perfect(rows: ShardSet) -> list[Found]:
    return [
        (row.image_id, int(label), 0.9, float(box[0]), float(box[1]), float(box[2]), float(box[3]))
        for row in rows
        for label, box in zip(row.labels, row.boxes_xyxy, strict=True)
    ]


def test_detections_equal_to_the_objects_score_one(evaluated, drawn):
    rows = ShardSet(drawn.folders[drawn.test].path)
    summary = evaluated(perfect(rows)).read_json(SUMMARY)
    assert set(summary.values()) == {1.0}
    assert {name for name in summary if name.startswith("voc07/AP/")} == {f"voc07/AP/{name}" for name in rows.classes}
    assert {"voc07/mAP", "voc12/mAP"} < summary.keys()


def test_no_detections_score_zero(evaluated):
    assert set(evaluated([]).read_json(SUMMARY).values()) == {0.0}


def test_missed_objects_and_false_positives_lower_the_score_as_computed_by_hand(evaluated, voc, in_process):
    shards = Shard(sources=(VocFolder(name="two", split="train", root=str(voc.root)),), classes=("cat", "dog"))
    ctx = in_process(shards, "shards")
    shards.run(ctx)
    found = [
        ("a", 0, 0.9, 10.0, 20.0, 50.0, 60.0),  # the cat
        ("b", 1, 0.9, 60.0, 20.0, 90.0, 60.0),  # false
        ("b", 1, 0.8, 10.0, 20.0, 50.0, 60.0),  # the dog, at a precision of 1/2
    ]
    summary = evaluated(found, shards, {shards: ctx.out}).read_json(SUMMARY)
    assert summary["voc07/AP/cat"] == 1.0
    assert summary["voc07/AP/dog"] == summary["voc12/AP/dog"] == 0.5
    assert summary["voc07/mAP"] == 0.75


def test_classes_without_objects_are_skipped_and_difficult_objects_do_not_count(evaluated, voc, in_process):
    voc.annotation("b", ("dog", 10, 20, 50, 60), difficult=True)
    shards = Shard(sources=(VocFolder(name="two", split="train", root=str(voc.root)),), classes=("cat", "dog"))
    ctx = in_process(shards, "shards")
    shards.run(ctx)
    found = [("a", 0, 0.9, 10.0, 20.0, 50.0, 60.0), ("b", 1, 0.9, 10.0, 20.0, 50.0, 60.0)]
    summary = evaluated(found, shards, {shards: ctx.out}).read_json(SUMMARY)
    assert summary == {"voc07/mAP": 1.0, "voc07/AP/cat": 1.0, "voc12/mAP": 1.0, "voc12/AP/cat": 1.0}


def test_test_images_without_an_object_that_counts_are_refused(evaluated, voc, in_process):
    voc.annotation("b", ("dog", 10, 20, 50, 60), difficult=True)
    shards = Shard(sources=(VocFolder(name="one", split="test", root=str(voc.root)),), classes=("cat", "dog"))
    ctx = in_process(shards, "shards")
    shards.run(ctx)
    with pytest.raises(PipelineError, match="the 1 test images have no object that counts"):
        evaluated([], shards, {shards: ctx.out})


def test_the_outcomes_file_reproduces_the_score(evaluated, drawn):
    rows = ShardSet(drawn.folders[drawn.test].path)
    rng = np.random.default_rng(0)
    some = [(*row[:2], float(rng.random()), *row[3:]) for row in perfect(rows) if rng.random() < 0.7]
    false = [(row[0], int(rng.integers(len(rows.classes))), float(rng.random()), 0.0, 0.0, 5.0, 5.0) for row in some]
    out = evaluated(some + false)
    outcomes, images = read_outcomes(out.read_bytes(OUTCOMES))
    assert images == len(rows) == 70
    (value,) = replicate_map(outcomes, np.ones((1, images), np.int64))
    assert 0.2 < value < 0.8
    assert value == pytest.approx(out.read_json(SUMMARY)["voc07/mAP"], abs=1e-12)


def test_with_a_tolerance_a_small_object_is_matched_by_the_rule_of_ilsvrc(evaluated, voc, in_process):
    """The dog is 21x11 pixels: its threshold is 231 / (31 * 21) = 0.355."""
    voc.annotation("b", ("dog", 10, 20, 30, 30))
    shards = Shard(sources=(VocFolder(name="two", split="train", root=str(voc.root)),), classes=("cat", "dog"))
    ctx = in_process(shards, "shards")
    shards.run(ctx)
    found = [("a", 0, 0.9, 10.0, 20.0, 50.0, 60.0), ("b", 1, 0.9, 10.0, 20.0, 18.0, 30.0)]  # the dog by 99 / 231
    summary = evaluated(found, shards, {shards: ctx.out}, pixel_tolerance=10.0).read_json(SUMMARY)
    assert summary == {"ilsvrc/mAP": 1.0, "ilsvrc/AP/cat": 1.0, "ilsvrc/AP/dog": 1.0}
    assert evaluated(found, shards, {shards: ctx.out}).read_json(SUMMARY)["voc12/AP/dog"] == 0
