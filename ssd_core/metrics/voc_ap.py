"""Average precision as the PASCAL VOC devkit defines it (VOCevaldet.m; paper section 3.1).

Boxes are (xmin, ymin, xmax, ymax) in pixels of the original image, both corners inside: a width is xmax - xmin + 1.
Detections are visited by falling score, equal scores in the order given. Each takes the object of its class and
image that it overlaps most, difficult ones included: below the threshold it is false; a difficult object makes it
count as nothing; an object that was taken before makes it false.
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
"""Pixels by which a small object of ILSVRC may be missed (eval_detection.m of its devkit). Of that tool only this is
taken over: there, a second detection of an object that was taken goes to the next one, here it is false as in VOC."""


@dataclass(frozen=True, kw_only=True)
class ScoredBoxes:
    """Detections in a set of images."""

    images: Int[ndarray, " N"]
    """Numbers that say which image, the same as those of the objects."""

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
    """What became of the detections of one class, by falling score."""

    images: Int[ndarray, " D"]
    true: Bool[ndarray, " D"]
    """The first to find an object that counts."""

    counted: Bool[ndarray, " D"]
    """False on a difficult object: neither true nor false."""

    object_images: Int[ndarray, " G"]
    """The image of each object that counts."""


@dataclass(frozen=True, kw_only=True)
class ClassResult:
    """One class; without objects (difficult ones are none) its average precision is NaN."""

    ap_11point: float
    """Mean over the recalls 0, 0.1 ... 1 of the best precision at that recall or more: VOC2007."""

    ap_area: float
    """Area below the precision made monotonous: VOC2010 and later."""

    precision: Float[ndarray, " D"]
    """After each detection; NaN until the first that counts."""

    recall: Float[ndarray, " D"]
    objects: int
    """Without difficult ones."""

    detections: int


@dataclass(frozen=True, kw_only=True)
class MeanResult:
    """Means over the classes that have objects; NaN when there is none."""

    ap_11point: float
    ap_area: float
    classes: int
    """How many those are."""


def evaluate(
    detections: ScoredBoxes,
    truth: TrueBoxes,
    *,
    class_count: int,
    iou_threshold: float = 0.5,
    pixel_extent: float = 1.0,
    pixel_tolerance: float = 0.0,
) -> list[ClassResult]:
    """Result of each class; an overlap of exactly `iou_threshold` is a match.

    `pixel_extent` is what a width has beyond xmax - xmin: 1 for VOC pixels, 0 for continuous coordinates.
    `pixel_tolerance` t lowers the threshold of a small object to w h / ((w + t) (h + t)): `ILSVRC_TOLERANCE`.
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
    """Which detections of each class are true, false, or count as nothing; arguments as for `evaluate`."""
    thresholds = _thresholds(truth.boxes_xyxy, iou_threshold, pixel_extent, pixel_tolerance)
    return [_judge_class(detections, truth, label, thresholds, pixel_extent) for label in range(class_count)]


def mean_result(results: Sequence[ClassResult]) -> MeanResult:
    """Mean average precision."""
    scored = [result for result in results if result.objects]
    return MeanResult(
        ap_11point=sum(result.ap_11point for result in scored) / len(scored) if scored else float("nan"),
        ap_area=sum(result.ap_area for result in scored) / len(scored) if scored else float("nan"),
        classes=len(scored),
    )


def _thresholds(
    truth_xyxy: Float[ndarray, "G 4"], iou_threshold: float, pixel_extent: float, pixel_tolerance: float
) -> Float[ndarray, " G"]:
    """The overlap from which on an object is found; without a tolerance it is `iou_threshold` for all."""
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

    nearest = _nearest_objects(
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
    """Precision, recall and average precision of one class."""
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


def _nearest_objects(
    images: Int[ndarray, " D"],
    boxes_xyxy: Float[ndarray, "D 4"],
    truth_images: Int[ndarray, " G"],
    truth_xyxy: Float[ndarray, "G 4"],
    thresholds: Float[ndarray, " G"],
    pixel_extent: float,
) -> Int[ndarray, " D"]:
    """The object of its image that each detection overlaps most, of those whose threshold it reaches; -1 without any.

    `truth_images` ascend. Of objects with the same overlap, the first.
    """
    pairs = pairs_in_images(images, boxes_xyxy, truth_images, truth_xyxy, pixel_extent)
    detection, candidate, overlaps = pairs.chosen(pairs.overlaps >= thresholds[pairs.objects])
    best = np.zeros(len(images))
    np.maximum.at(best, detection, overlaps)
    nearest = np.full(len(images), -1)
    is_best = overlaps == best[detection]
    nearest[detection[is_best][::-1]] = candidate[is_best][::-1]  # the last assignment stays: the first object
    return nearest


def _ap_11point(precision: Float[ndarray, " D"], recall: Float[ndarray, " D"]) -> float:
    # Not k / 10: in floating point 0.1 * k is above 0.3, 0.6 and 0.7, so a recall of exactly 3 of 10 does not reach its
    # level. The numbers that people compare were made so (0.61107 for an aeroplane that would otherwise have 0.61161).
    levels = 0.1 * np.arange(11)
    best = np.append(_monotonous(precision), 0)
    return float(best[np.searchsorted(recall, levels)].mean())


def _ap_area(precision: Float[ndarray, " D"], recall: Float[ndarray, " D"]) -> float:
    return float((_monotonous(precision) * np.diff(recall, prepend=0)).sum())


def _monotonous(precision: Float[ndarray, " D"]) -> Float[ndarray, " D"]:
    """The best precision at each place or later."""
    return np.maximum.accumulate(precision[::-1])[::-1]
