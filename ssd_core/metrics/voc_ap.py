"""Average precision as the PASCAL VOC devkit defines it (VOCevaldet.m; paper section 3.1).

Boxes are (xmin, ymin, xmax, ymax) in pixels of the original image with inclusive corners: a width is xmax - xmin + 1.
Detections are visited by descending score, equal scores in the given order. Each is assigned the object of its class
and image that it overlaps most, difficult ones included: below the threshold it is a false positive; on a difficult
object it is ignored; on an object already taken it is a false positive.
Letters: N detections, G objects, D detections of one class.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from ssd_core.metrics.overlaps import pairs_in_images

ILSVRC_TOLERANCE = 10.0
"""Localisation tolerance in pixels for small objects in ILSVRC (eval_detection.m of its devkit), the only rule adopted
from that tool: there, a second detection of a taken object may match the next one; here it is false, as in VOC."""


@dataclass(frozen=True, kw_only=True)
class ScoredBoxes:
    """Detections in a set of images."""

    images: Int[ndarray, " N"]
    """Index of the image, shared with `TrueBoxes.images`."""

    labels: Int[ndarray, " N"]
    """0-based classes."""

    scores: Float[ndarray, " N"]
    boxes_xyxy: Float[ndarray, "N 4"]


@dataclass(frozen=True, kw_only=True)
class TrueBoxes:
    """Annotated objects in a set of images."""

    images: Int[ndarray, " G"]
    labels: Int[ndarray, " G"]
    boxes_xyxy: Float[ndarray, "G 4"]
    difficult: Bool[ndarray, " G"]


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """Outcomes of the detections of one class, by descending score."""

    images: Int[ndarray, " D"]
    true: Bool[ndarray, " D"]
    """True positive: the first detection of an object that is not difficult."""

    counted: Bool[ndarray, " D"]
    """False on a difficult object: neither a true nor a false positive."""

    object_images: Int[ndarray, " G"]
    """The image of each object that is not difficult."""


@dataclass(frozen=True, kw_only=True)
class ClassResult:
    """Result of one class; without objects (difficult ones do not count) its average precision is NaN."""

    ap_11point: float
    """Mean over the recalls 0, 0.1 ... 1 of the best precision at that recall or higher: VOC2007."""

    ap_area: float
    """Area under the precision envelope: VOC2010 and later."""

    precision: Float[ndarray, " D"]
    """Precision after each detection; NaN until the first that counts."""

    recall: Float[ndarray, " D"]
    objects: int
    """Number of objects, without difficult ones."""

    detections: int


@dataclass(frozen=True, kw_only=True)
class MeanResult:
    """Means over the classes that have objects; NaN if there are none."""

    ap_11point: float
    ap_area: float
    classes: int
    """Number of classes that have objects."""


def evaluate(
    detections: ScoredBoxes,
    truth: TrueBoxes,
    *,
    class_count: int,
    iou_threshold: float = 0.5,
    pixel_extent: float = 1.0,
    pixel_tolerance: float = 0.0,
) -> list[ClassResult]:
    """Return the result of each class; an overlap of exactly `iou_threshold` is a match.

    `pixel_extent` is added to xmax - xmin to give a width: 1 for VOC pixels, 0 for continuous coordinates.
    `pixel_tolerance` t lowers the threshold of a small object to w h / ((w + t) (h + t)); see `ILSVRC_TOLERANCE`.
    """
    judged = judge(
        detections,
        truth,
        class_count=class_count,
        iou_threshold=iou_threshold,
        pixel_extent=pixel_extent,
        pixel_tolerance=pixel_tolerance,
    )
    return [class_result(item) for item in judged]


def judge(
    detections: ScoredBoxes,
    truth: TrueBoxes,
    *,
    class_count: int,
    iou_threshold: float = 0.5,
    pixel_extent: float = 1.0,
    pixel_tolerance: float = 0.0,
) -> list[Outcomes]:
    """Judge the detections of each class as true, false or ignored; arguments as for `evaluate`."""
    thresholds = _thresholds(truth.boxes_xyxy, iou_threshold, pixel_extent, pixel_tolerance)
    return [_judge_class(detections, truth, label, thresholds, pixel_extent) for label in range(class_count)]


def mean_result(results: Sequence[ClassResult]) -> MeanResult:
    """Return the mean average precision."""
    scored = [result for result in results if result.objects]
    return MeanResult(
        ap_11point=sum(result.ap_11point for result in scored) / len(scored) if scored else float("nan"),
        ap_area=sum(result.ap_area for result in scored) / len(scored) if scored else float("nan"),
        classes=len(scored),
    )


def _thresholds(
    truth_xyxy: Float[ndarray, "G 4"], iou_threshold: float, pixel_extent: float, pixel_tolerance: float
) -> Float[ndarray, " G"]:
    """Return the IoU threshold of each object; without a tolerance it is `iou_threshold` for all."""
    if not pixel_tolerance:
        return np.full(len(truth_xyxy), iou_threshold)
    sides = truth_xyxy[:, 2:].astype(np.float64) - truth_xyxy[:, :2] + pixel_extent
    thresholds: Float[ndarray, " G"] = np.minimum(iou_threshold, (sides / (sides + pixel_tolerance)).prod(axis=1))
    return thresholds


def _judge_class(
    detections: ScoredBoxes, truth: TrueBoxes, label: int, thresholds: Float[ndarray, " G"], pixel_extent: float
) -> Outcomes:
    found = np.flatnonzero(detections.labels == label)
    found = found[np.argsort(-detections.scores[found], kind="stable")]
    wanted = np.flatnonzero(truth.labels == label)
    wanted = wanted[np.argsort(truth.images[wanted], kind="stable")]
    difficult = truth.difficult[wanted]

    nearest = _best_objects(
        detections.images[found],
        detections.boxes_xyxy[found],
        truth.images[wanted],
        truth.boxes_xyxy[wanted],
        thresholds[wanted],
        pixel_extent,
    )
    hits = nearest >= 0
    counted = ~hits
    counted[hits] = ~difficult[nearest[hits]]
    hits &= counted
    true = np.zeros(len(found), bool)
    true[np.flatnonzero(hits)[np.unique(nearest[hits], return_index=True)[1]]] = True  # the first to take an object
    return Outcomes(
        images=detections.images[found], true=true, counted=counted, object_images=truth.images[wanted[~difficult]]
    )


def class_result(outcomes: Outcomes) -> ClassResult:
    """Return precision, recall and average precision of one class."""
    true, counted, objects = outcomes.true, outcomes.counted, len(outcomes.object_images)
    hits, visited = np.cumsum(true), np.cumsum(counted)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision, recall = hits / visited, hits / np.float64(objects)
    return ClassResult(
        ap_11point=_ap_11point(precision[counted], recall[counted]) if objects else float("nan"),
        ap_area=_ap_area(precision[counted], recall[counted]) if objects else float("nan"),
        precision=precision,
        recall=recall,
        objects=objects,
        detections=len(true),
    )


def _best_objects(
    images: Int[ndarray, " D"],
    boxes_xyxy: Float[ndarray, "D 4"],
    truth_images: Int[ndarray, " G"],
    truth_xyxy: Float[ndarray, "G 4"],
    thresholds: Float[ndarray, " G"],
    pixel_extent: float,
) -> Int[ndarray, " D"]:
    """Return for each detection the object of its image with the largest overlap at or above its threshold, else -1.

    `truth_images` are ascending. Ties go to the first object.
    """
    pairs = pairs_in_images(images, boxes_xyxy, truth_images, truth_xyxy, pixel_extent)
    detection, candidate, overlaps = pairs.chosen(pairs.overlaps >= thresholds[pairs.objects])
    best = np.zeros(len(images))
    np.maximum.at(best, detection, overlaps)
    nearest = np.full(len(images), -1)
    is_best = overlaps == best[detection]
    nearest[detection[is_best][::-1]] = candidate[is_best][::-1]  # reversed: the first object is assigned last and wins
    return nearest


def _ap_11point(precision: Float[ndarray, " D"], recall: Float[ndarray, " D"]) -> float:
    # Not k / 10: in floating point 0.1 * k is above 0.3, 0.6 and 0.7, so a recall of exactly 3 of 10 does not reach its
    # level. Published numbers were computed this way (0.61107 for aeroplane, which would otherwise have 0.61161).
    levels = 0.1 * np.arange(11)
    best = np.append(_envelope(precision), 0)
    return float(best[np.searchsorted(recall, levels)].mean())


def _ap_area(precision: Float[ndarray, " D"], recall: Float[ndarray, " D"]) -> float:
    return float((_envelope(precision) * np.diff(recall, prepend=0)).sum())


def _envelope(precision: Float[ndarray, " D"]) -> Float[ndarray, " D"]:
    """Return the best precision at each position or later."""
    return np.maximum.accumulate(precision[::-1])[::-1]
