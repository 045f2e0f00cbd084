"""Average precision and recall as COCO defines them, computed by pycocotools (paper, Table 5).

Boxes are (x, y, width, height) in pixels of the original image, continuous coordinates. Equal scores are ordered by
image index, then in the given order.
Letters: N detections, G objects, D detections of one class, C classes.

Tested in tests/stages/evaluation/test_coco_results.py.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from ssd_core.metrics.voc_ap import Outcomes

NUMBERS = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl")
"""Metrics in the order of pycocotools; s, m and l are objects of up to 32^2, up to 96^2 and more square pixels."""

MOST_PER_IMAGE = 100
"""Number of detections per class and image that count."""


@dataclass(frozen=True, kw_only=True)
class CocoDetections:
    """Detections in a set of images."""

    images: Int[ndarray, " N"]
    """Index of the image, from 0."""

    labels: Int[ndarray, " N"]
    """0-based classes."""

    scores: Float[ndarray, " N"]
    boxes_xywh: Float[ndarray, "N 4"]


@dataclass(frozen=True, kw_only=True)
class CocoObjects:
    """Annotated objects in a set of images."""

    images: Int[ndarray, " G"]
    labels: Int[ndarray, " G"]
    boxes_xywh: Float[ndarray, "G 4"]
    area: Float[ndarray, " G"]
    """Area that decides the size class of an object: that of its segmentation if annotated."""

    crowd: Bool[ndarray, " G"]
    """Whether it is a region of many objects: detections in it are ignored."""


@dataclass(frozen=True, kw_only=True)
class CocoResult:
    """COCO metrics as fractions; NaN if there is no object to average over."""

    numbers: dict[str, float]
    """Metrics by the names in `NUMBERS`."""

    ap_per_class: Float[ndarray, " C"]
    """Mean over the IoU thresholds 0.50, 0.55 ... 0.95."""

    outcomes: tuple[Outcomes, ...]
    """Outcomes of each class at each of the ten IoU thresholds, class by class, for resampling images."""


def evaluate_coco(
    detections: CocoDetections, objects: CocoObjects, *, image_count: int, class_count: int
) -> CocoResult:
    """Evaluate detections on `image_count` images."""
    from pycocotools.cocoeval import COCOeval

    with _quiet():
        truth = _index(_objects(objects), image_count, class_count)
        judged = COCOeval(truth, _index(_detections(detections), image_count, class_count), "bbox")
        judged.evaluate()
        judged.accumulate()
        judged.summarize()
    return CocoResult(
        numbers={name: _or_nan(value) for name, value in zip(NUMBERS, judged.stats, strict=True)},
        ap_per_class=_ap_per_class(judged.eval["precision"]),
        outcomes=tuple(_outcomes(judged)),
    )


def id_order(image_id: str) -> tuple[bool, int, str]:
    """Sort key that orders ids as COCO's tool does: numbers by value, then texts."""
    return (False, int(image_id), "") if image_id.isdecimal() else (True, 0, image_id)


def _or_nan(value: float) -> float:
    return float(value) if value > -1 else float("nan")  # pycocotools writes -1 for an undefined value


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()):
        yield


def _objects(objects: CocoObjects) -> list[dict[str, Any]]:
    return [
        # From 1: pycocotools treats a match with id 0 as no match
        {"id": number, "image_id": image, "category_id": label, "bbox": box, "area": area, "iscrowd": int(crowd)}
        for number, (image, label, box, area, crowd) in enumerate(
            zip(
                objects.images.tolist(),
                objects.labels.tolist(),
                objects.boxes_xywh.astype(np.float64).tolist(),
                objects.area.astype(np.float64).tolist(),
                objects.crowd.tolist(),
                strict=True,
            ),
            start=1,
        )
    ]


def _detections(detections: CocoDetections) -> list[dict[str, Any]]:
    boxes_xywh = detections.boxes_xywh.astype(np.float64)
    return [
        {"id": number, "image_id": image, "category_id": label, "bbox": box, "area": area, "score": score}
        for number, (image, label, box, area, score) in enumerate(
            zip(
                detections.images.tolist(),
                detections.labels.tolist(),
                boxes_xywh.tolist(),
                boxes_xywh[:, 2:].prod(axis=1).tolist(),
                detections.scores.tolist(),
                strict=True,
            ),
            start=1,
        )
    ]


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


def _ap_per_class(precision: Float[ndarray, "T R C A M"]) -> Float[ndarray, " C"]:
    """Mean precision over thresholds and recalls, for objects of all sizes and the largest number of detections."""
    of_class = precision[:, :, :, 0, -1]
    present = of_class[0, 0] > -1
    mean: Float[ndarray, " C"] = np.where(present, of_class.mean(axis=(0, 1)), np.nan)
    return mean


def _outcomes(judged: Any) -> Iterator[Outcomes]:
    """Outcomes for objects of all sizes; pycocotools keeps one entry per class, size and image, in this order."""
    images, sizes = len(judged.params.imgIds), len(judged.params.areaRng)
    for label in range(len(judged.params.catIds)):
        start = label * sizes * images
        yield from _outcomes_of_class([item for item in judged.evalImgs[start : start + images] if item])


def _outcomes_of_class(judged: Sequence[dict[str, Any]]) -> Iterator[Outcomes]:
    """Outcomes of one class at each of the ten IoU thresholds."""
    scores = np.concatenate([np.empty(0), *(item["dtScores"] for item in judged)])
    order = np.argsort(-scores, kind="mergesort")
    images = np.repeat([item["image_id"] for item in judged], [len(item["dtScores"]) for item in judged])[order]
    matched = np.concatenate([np.empty((10, 0)), *(item["dtMatches"] for item in judged)], axis=1)[:, order] > 0
    ignored = np.concatenate([np.empty((10, 0)), *(item["dtIgnore"] for item in judged)], axis=1)[:, order] > 0
    counting = [int((item["gtIgnore"] == 0).sum()) for item in judged]
    object_images = np.repeat([item["image_id"] for item in judged], counting)
    for is_matched, is_ignored in zip(matched, ignored, strict=True):
        yield Outcomes(
            images=images.astype(np.int32),
            true=is_matched & ~is_ignored,
            counted=~is_ignored,
            object_images=object_images.astype(np.int32),
        )
