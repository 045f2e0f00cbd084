"""COCO numbers from shards and a table of detections, compared with pycocotools on the official annotation file."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from pipeline.errors import PipelineError
from pipeline.folder import Folder
from pipeline.stage import Context, Stage
from pipeline.store.record import SUMMARY
from ssd_core.data.shards import MANIFEST, Row, build_manifest, write_rows
from ssd_core.metrics.bootstrap import COCO_LEVELS, replicate_map
from ssd_core.spec.vocabularies import COCO_CATEGORIES, COCO_CLASSES
from stages.datasets.coco.coco_folder import CocoFolder
from stages.detection.table import DETECTIONS, SCHEMA
from stages.evaluation.coco_ap import NUMBERS
from stages.evaluation.evaluate_coco import EvaluateCoco
from stages.evaluation.outcomes import OUTCOMES, read_outcomes
from stages.shards.shard import Shard

LABELS = {category: label for label, category in enumerate(COCO_CATEGORIES)}
IDS = tuple(COCO_CATEGORIES)
Evaluated = Callable[[list[Row], list[dict[str, Any]]], Folder]


@dataclass(frozen=True, kw_only=True)
class Given(Stage):
    """A result written by a test."""

    what: str

    def run(self, ctx: Context) -> None:
        raise NotImplementedError


@pytest.fixture
def evaluated(in_process: Any, tmp_path: Path) -> Evaluated:
    """Result folder for shard rows and detection table rows."""

    def run(rows: list[Row], found: list[dict[str, Any]]) -> Folder:
        shards, detections = Given(what="shards"), Given(what="detections")
        folders = {stage: Folder(str(tmp_path / stage.what)) for stage in (shards, detections)}
        write_shards(folders[shards], rows)
        with folders[detections].open_output(DETECTIONS) as stream:
            pq.write_table(pa.Table.from_pylist(found, schema=SCHEMA), stream)
        stage = EvaluateCoco(detections=detections, shards=shards)
        ctx = in_process(stage, "evaluated", folders)
        stage.run(ctx)
        return ctx.out

    return run


def write_shards(folder: Folder, rows: list[Row]) -> None:
    sink = io.BytesIO()
    groups = write_rows(sink, rows)
    file = {"name": "a.parquet", "rows": len(rows), "row_groups": groups}
    file["sha256"] = hashlib.sha256(sink.getvalue()).hexdigest()
    folder.write_bytes("a.parquet", sink.getvalue())
    folder.write_json(MANIFEST, build_manifest(COCO_CLASSES, [file], {}))


def rows_of(annotations: dict[str, Any]) -> list[Row]:
    """The images of an annotation file, in reverse: the order of shard rows must not matter."""
    return [
        row_of(image, [item for item in annotations["annotations"] if item["image_id"] == image["id"]])
        for image in reversed(annotations["images"])
    ]


def row_of(image: dict[str, Any], objects: list[dict[str, Any]]) -> Row:
    boxes_xywh = np.array([item["bbox"] for item in objects], np.float64).reshape(-1, 4)
    return Row(
        image_id=str(image["id"]),
        source="coco",
        image=b"",
        width=image["width"],
        height=image["height"],
        boxes_xyxy=np.hstack([boxes_xywh[:, :2], boxes_xywh[:, :2] + boxes_xywh[:, 2:]]).astype(np.float32),
        labels=np.array([LABELS[item["category_id"]] for item in objects], np.int32),
        difficult=np.zeros(len(objects), bool),
        crowd=np.array([bool(item["iscrowd"]) for item in objects], bool),
        area=np.array([item["area"] for item in objects], np.float32),
        annotation_ids=np.array([item["id"] for item in objects], np.int64),
    )


def shaken(annotations: dict[str, Any]) -> list[dict[str, Any]]:
    """Detections of most objects, shifted by up to a fifth of their size, some duplicated or given another class."""
    rng = np.random.default_rng(0)
    found = []
    for item in (*annotations["annotations"], *annotations["annotations"][::3]):
        x, y, width, height = item["bbox"]
        left, top, right, bottom = rng.uniform(-0.2, 0.2, 4) * (width, height, width, height)
        category = item["category_id"] if rng.random() < 0.8 else IDS[int(rng.integers(80))]
        corners = (x + left, y + top, x + width + right, y + height + bottom)
        found.append(
            {"image_id": str(item["image_id"]), "label": LABELS[category], "score": float(np.float32(rng.random()))}
            | {name: float(np.float32(value)) for name, value in zip(SCHEMA.names[3:], corners, strict=True)}
        )
    return found


def official(file: Path, found: list[dict[str, Any]]) -> dict[str, float]:
    """Metrics by pycocotools on the annotation file and the detections as a result list."""
    results = [
        {
            "image_id": int(item["image_id"]),
            "category_id": IDS[item["label"]],
            "score": item["score"],
            "bbox": [item["xmin"], item["ymin"], item["xmax"] - item["xmin"], item["ymax"] - item["ymin"]],
        }
        for item in found
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(file))
        judged = COCOeval(truth, truth.loadRes(results), "bbox")
        judged.evaluate()
        judged.accumulate()
        judged.summarize()
    return {f"coco/{name}": float(value) for name, value in zip(NUMBERS, judged.stats, strict=True)}


@pytest.fixture
def real(real_data: Callable[[str], Path]) -> tuple[Path, dict[str, Any]]:
    file = real_data("coco_mini") / "annotations/instances_val2017.json"
    return file, json.loads(file.read_text())


def test_metrics_equal_those_of_pycocotools_on_the_official_file(
    evaluated: Evaluated, real: tuple[Path, dict[str, Any]]
) -> None:
    """Shards hold 32-bit numbers: 1e-6 exceeds their effect on an overlap and is below the effect of one match."""
    file, annotations = real
    found = shaken(annotations)
    out = evaluated(rows_of(annotations), found)
    summary, expected = out.read_json(SUMMARY), official(file, found)
    assert {name: summary[name] for name in expected} == pytest.approx(expected, abs=1e-6)
    assert 0.1 < summary["coco/AP"] < 0.9
    per_class = [value for name, value in summary.items() if name.startswith("coco/AP/")]
    assert np.mean(per_class) == pytest.approx(expected["coco/AP"], abs=1e-6)
    outcomes, images = read_outcomes(out.read_bytes(OUTCOMES))
    (value,) = replicate_map(outcomes, np.ones((1, images), np.int64), COCO_LEVELS)
    assert value == pytest.approx(summary["coco/AP"], abs=1e-6)


IMAGE = {"id": 5, "width": 100, "height": 100}
PERSON = {"id": 0, "category_id": 1, "bbox": [10, 10, 40, 40], "area": 1600, "iscrowd": 0}
FOUND = {"image_id": "5", "label": 0, "score": 0.9, "xmin": 10.0, "ymin": 10.0, "xmax": 50.0, "ymax": 50.0}


def test_a_metric_without_objects_to_average_over_is_omitted(evaluated: Evaluated) -> None:
    summary = evaluated([row_of(IMAGE, [PERSON])], [FOUND]).read_json(SUMMARY)
    assert summary["coco/AP"] == pytest.approx(1)
    assert {name for name in summary if "AP" in name} == {
        "coco/AP", "coco/AP50", "coco/AP75", "coco/APm", "coco/AP/person",
    }  # fmt: skip


def test_a_difficult_object_is_ignored(evaluated: Evaluated) -> None:
    row = row_of(IMAGE, [PERSON, PERSON | {"bbox": [60, 60, 30, 30]}])
    summary = evaluated([replace(row, difficult=np.array([False, True]))], [FOUND]).read_json(SUMMARY)
    assert summary["coco/AR100"] == pytest.approx(1)


def test_no_detections_score_zero(evaluated: Evaluated) -> None:
    assert evaluated([row_of(IMAGE, [PERSON])], []).read_json(SUMMARY)["coco/AP"] == 0


def test_a_duplicate_image_id_is_refused(evaluated: Evaluated) -> None:
    with pytest.raises(PipelineError, match="two test images have the id '5'"):
        evaluated([row_of(IMAGE, [PERSON]), row_of(IMAGE, [PERSON])], [])


def test_images_without_an_object_that_counts_are_refused(evaluated: Evaluated) -> None:
    with pytest.raises(PipelineError, match="the 1 test images have no object that counts"):
        evaluated([row_of(IMAGE, [PERSON | {"iscrowd": 1}])], [FOUND])


def test_shards_of_the_official_images_score_as_the_official_file(
    in_process: Any, tmp_path: Path, real: tuple[Path, dict[str, Any]]
) -> None:
    """Sharding clips boxes to the image by fractions of a pixel, which changes no match here."""
    file, annotations = real
    shards = Shard(sources=(CocoFolder(name="coco", root=str(file.parents[1]), split="val2017"),), classes=COCO_CLASSES)
    sharded = in_process(shards, "sharded")
    shards.run(sharded)
    given, found = Given(what="detections"), shaken(annotations)
    folder = Folder(str(tmp_path / "given"))
    with folder.open_output(DETECTIONS) as stream:
        pq.write_table(pa.Table.from_pylist(found, schema=SCHEMA), stream)
    stage = EvaluateCoco(detections=given, shards=shards)
    ctx = in_process(stage, "evaluated", {given: folder, shards: sharded.out})
    stage.run(ctx)
    summary, expected = ctx.out.read_json(SUMMARY), official(file, found)
    assert {name: summary[name] for name in expected} == pytest.approx(expected, abs=1e-6)
