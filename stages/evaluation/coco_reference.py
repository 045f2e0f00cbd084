"""COCO's protocol by pycocotools, the reference.

Tested in tests/stages/evaluation/test_coco_results.py.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from stages.evaluation.coco_input import CocoDetections, CocoObjects, detection_annotations, object_annotations
from stages.evaluation.coco_judged import Judged, JudgedPair


def judge_by_pycocotools(
    detections: CocoDetections, objects: CocoObjects, *, image_count: int, class_count: int
) -> Judged:
    """Compare detections with objects by pycocotools."""
    from pycocotools.cocoeval import COCOeval

    with _quiet():
        truth = _index(object_annotations(objects), image_count, class_count)
        tool = COCOeval(truth, _index(detection_annotations(detections), image_count, class_count), "bbox")
        tool.evaluate()
        tool.accumulate()
    precision, recall = tool.eval["precision"], tool.eval["recall"]
    return Judged(stats=summary(precision, recall), precision=precision, pairs=lambda: _pairs(tool))


def summary(precision: Float[ndarray, "T R C A M"], recall: Float[ndarray, "T C A M"]) -> list[float]:
    """COCO's twelve metrics; each tool adds up in its own order, so that only pycocotools' order gives equal digits."""
    from pycocotools.cocoeval import COCOeval

    tool = COCOeval(iouType="bbox")
    tool.eval = {"precision": precision, "recall": recall}
    with _quiet():
        tool.summarize()
    numbers: list[float] = tool.stats.tolist()
    return numbers


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()):
        yield


def _index(annotations: list[dict[str, Any]], image_count: int, class_count: int) -> Any:
    from pycocotools.coco import COCO

    indexed = COCO()
    indexed.dataset = {
        "images": [{"id": number} for number in range(image_count)],
        "categories": [{"id": label} for label in range(class_count)],
        "annotations": annotations,
    }
    indexed.createIndex()
    return indexed


def _pairs(tool: Any) -> Iterator[Sequence[JudgedPair]]:
    """pycocotools keeps one entry per class, size and image, in this order; objects of all sizes are the first size."""
    images, sizes = len(tool.params.imgIds), len(tool.params.areaRng)
    for label in range(len(tool.params.catIds)):
        start = label * sizes * images
        yield [pair(entry) for entry in tool.evalImgs[start : start + images] if entry]


def pair(entry: dict[str, Any]) -> JudgedPair:
    """An entry of `evalImgs`, as pycocotools and its successors name its fields."""
    return JudgedPair(
        image=entry["image_id"],
        scores=np.asarray(entry["dtScores"], np.float64),
        matched=np.asarray(entry["dtMatches"]) > 0,
        ignored=np.asarray(entry["dtIgnore"]) > 0,
        object_count=int((np.asarray(entry["gtIgnore"]) == 0).sum()),
    )
