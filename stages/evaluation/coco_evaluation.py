"""Detections and shards as the arrays that the COCO protocol needs, and its metrics as a flat summary.

Detections and shards hold (xmin, ymin, xmax, ymax) in pixels of the original image; COCO's width is xmax - xmin.
Objects marked difficult are treated as crowd regions: detections on them are neither true nor false positives.

Tested in tests/stages/evaluation/test_evaluate_coco.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise

import numpy as np
import pyarrow as pa
from jaxtyping import Float
from numpy import ndarray

from pipeline.errors import PipelineError
from pipeline.folder import Folder
from pipeline.store.record import SUMMARY
from ssd_core.data.shards import ShardSet
from ssd_core.metrics.voc_ap import ScoredBoxes
from stages.evaluation.boxes import scored_boxes, stored_boxes
from stages.evaluation.coco_ap import CocoResult, evaluate_coco, id_order
from stages.evaluation.coco_input import CocoDetections, CocoObjects
from stages.evaluation.outcomes import OUTCOMES, write_outcomes


def evaluate_on_shards(detections: Folder, shards: Folder, out: Folder) -> None:
    """Write the metrics of one detector on one set of shards."""
    rows = ShardSet(shards.path, shards.filesystem)
    result = _result(partial(stored_boxes, detections), rows)
    out.write_json(SUMMARY, summarise(result, rows.classes))
    with out.open_output(OUTCOMES) as stream:
        write_outcomes(stream, result.outcomes, images=len(rows))


def mean_ap(detections: pa.Table, shards: Folder) -> float:
    """COCO's AP of a table of detections."""
    return _result(partial(scored_boxes, detections), ShardSet(shards.path, shards.filesystem)).numbers["AP"]


def _result(detections: Callable[[Mapping[str, int]], ScoredBoxes], rows: ShardSet) -> CocoResult:
    numbers, objects = _objects(rows)
    if objects.crowd.all():
        raise PipelineError(
            f"the {len(rows)} test images have no object that counts (difficult ones and crowds do not): "
            "there is nothing to evaluate against"
        )
    found = detections(numbers)
    return evaluate_coco(
        CocoDetections(
            images=found.images, labels=found.labels, scores=found.scores, boxes_xywh=_xywh(found.boxes_xyxy)
        ),
        objects,
        image_count=len(rows),
        class_count=len(rows.classes),
    )


def summarise(result: CocoResult, classes: Sequence[str]) -> dict[str, float]:
    """The twelve metrics and the average precision of each class, without undefined ones."""
    summary = {f"coco/{name}": value for name, value in result.numbers.items()}
    per_class = {f"coco/AP/{name}": float(value) for name, value in zip(classes, result.ap_per_class, strict=True)}
    return {name: value for name, value in (summary | per_class).items() if not math.isnan(value)}


def _objects(rows: ShardSet) -> tuple[Mapping[str, int], CocoObjects]:
    """Index of each image id, in the order of COCO's ids, and the annotated objects."""
    kept = [replace(row, image=b"") for row in rows]  # encoded images are not kept in memory
    ids = sorted((row.image_id for row in kept), key=id_order)
    numbers = {image_id: number for number, image_id in enumerate(ids)}
    if len(numbers) < len(ids):
        twice = next(one for one, other in pairwise(ids) if one == other)
        raise PipelineError(f"two test images have the id {twice!r}: evaluate their data sets separately")
    return numbers, CocoObjects(
        images=np.repeat([numbers[row.image_id] for row in kept], [len(row.labels) for row in kept]),
        labels=np.concatenate([row.labels for row in kept]),
        boxes_xywh=_xywh(np.concatenate([row.boxes_xyxy for row in kept])),
        area=np.concatenate([row.area for row in kept]).astype(np.float64),
        crowd=np.concatenate([row.crowd | row.difficult for row in kept]),
    )


def _xywh(boxes_xyxy: Float[ndarray, "N 4"]) -> Float[ndarray, "N 4"]:
    exact = boxes_xyxy.astype(np.float64)
    return np.concatenate([exact[:, :2], exact[:, 2:] - exact[:, :2]], axis=1)
