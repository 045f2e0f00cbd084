"""The six kinds of errors of TIDE (Bolya et al., ECCV 2020; tidecv 1.0.1), with the average precision that each costs.

By descending score within an image, each detection takes the free object of its class that it overlaps most, if the
overlap reaches the threshold. Any other detection is an error of the first kind that applies; boundaries belong to it:

- `Loc`: an overlap between the background's and the threshold with an object of its class;
- `Cls`: an overlap above the threshold with an object of another class;
- `Dupe`: an overlap above the threshold with an object of its class that is taken;
- `Bkg`: no overlap above the background's with any object;
- `Both`: all others, whose place and class are wrong.

`Miss` is an object that is not taken and that no `Loc` or `Cls` could take. The cost of a kind is the rise in mean
average precision when its errors alone are repaired: of the `Loc` and `Cls` at a free object the best takes it, all
others vanish, and missed objects are no longer counted. As in tidecv, only the first 100 detections of an image count,
average precision is COCO's (101 points), a class with detections but without objects counts as 0, and a detection that
lies mostly inside a difficult object of its class is neither right nor wrong.
Letters: N detections, A annotated objects, G those that count, R difficult ones, C classes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal

import numpy as np
from jaxtyping import Bool, Int
from numpy import ndarray

from ssd_core.metrics.analysis.average_precision import Ranked, mean_ap
from ssd_core.metrics.overlaps import Pairs, pairs_in_images, take_free_objects
from ssd_core.metrics.voc_ap import ScoredBoxes, TrueBoxes

BACKGROUND_IOU = 0.1
MOST_PER_IMAGE = 100


class TideError(StrEnum):
    """Kinds of errors, in the order in which they are shown."""

    CLASS = "Cls"
    LOCATION = "Loc"
    BOTH = "Both"
    DUPLICATE = "Dupe"
    BACKGROUND = "Bkg"
    MISSED = "Miss"


@dataclass(frozen=True, kw_only=True)
class Tide:
    """Mean average precision and its losses, as fractions."""

    ap: float
    losses: dict[TideError, float]
    """Rise in mean average precision when all errors of a kind are repaired."""

    counts: dict[TideError, int]
    false_positives: float
    """Rise when every wrong detection ranks below every right one."""

    false_negatives: float
    """Rise when objects that were not found are no longer counted."""


def tide(
    detections: ScoredBoxes,
    truth: TrueBoxes,
    *,
    class_count: int,
    iou_threshold: float = 0.5,
    pixel_extent: float = 1.0,
) -> Tide:
    """Find the errors of a detector and their costs."""
    judged = _judge(detections, truth, iou_threshold, pixel_extent)
    objects = np.bincount(judged.object_labels, minlength=class_count)
    free, missed = (_per_class(judged, which, class_count) for which in (judged.free, judged.missed))
    ap, unchanged = mean_ap(judged.ranked(), objects), judged.repaired("")
    losses = {kind: mean_ap(judged.repaired(kind), objects) - ap for kind in TideError}
    losses[TideError.MISSED] = mean_ap(unchanged, objects - missed) - ap
    counts = {kind: int(np.count_nonzero(judged.kinds == kind)) for kind in TideError}
    counts[TideError.MISSED] = int(missed.sum())
    return Tide(
        ap=ap,
        losses={kind: max(loss, 0.0) for kind, loss in losses.items()},
        counts=counts,
        false_positives=mean_ap(replace(unchanged, scores=unchanged.true.astype(float)), objects) - ap,
        false_negatives=mean_ap(unchanged, objects - free) - ap,
    )


@dataclass(frozen=True, kw_only=True)
class _Judged:
    """Detections by image and descending score, with their errors."""

    labels: Int[ndarray, " N"]
    scores: ndarray
    taken: Int[ndarray, " N"]
    """The object that each detection took, or -1."""

    ignored: Bool[ndarray, " N"]
    kinds: ndarray
    """Kind of the error, or "right"."""

    repairs: Int[ndarray, " N"]
    """The object that the detection takes when its error is repaired, or -1."""

    object_labels: Int[ndarray, " G"]
    free: Bool[ndarray, " G"]
    missed: Bool[ndarray, " G"]

    def ranked(self) -> Ranked:
        """The detections that count."""
        kept = ~self.ignored
        return Ranked(labels=self.labels[kept], scores=self.scores[kept], true=self.taken[kept] >= 0)

    def repaired(self, kind: TideError | Literal[""]) -> Ranked:
        """The detections that count once the errors of a kind are repaired; "" repairs none.

        Equal scores rank as in tidecv, which appends the detections that were right to the others.
        """
        chosen, right = self.kinds == kind, self.taken >= 0
        mended = chosen & (self.repairs >= 0)
        labels = self.labels.copy()
        labels[mended] = self.object_labels[self.repairs[mended]]
        others = np.flatnonzero(~right & np.where(chosen, mended, ~self.ignored))
        order = np.concatenate([others, np.flatnonzero(right)])
        return Ranked(labels=labels[order], scores=self.scores[order], true=(right | mended)[order])


def _judge(detections: ScoredBoxes, truth: TrueBoxes, iou_threshold: float, pixel_extent: float) -> _Judged:
    order = _first_of_each_image(detections)
    images, boxes_xyxy = detections.images[order], detections.boxes_xyxy[order]
    labels, scores = detections.labels[order], detections.scores[order]
    counted, regions = (_by_image(truth, truth.difficult == value) for value in (False, True))
    object_labels = truth.labels[counted]
    pairs = pairs_in_images(images, boxes_xyxy, truth.images[counted], truth.boxes_xyxy[counted], pixel_extent)
    same = object_labels[pairs.objects] == labels[pairs.detections]
    near = pairs.chosen(same & (pairs.overlaps >= iou_threshold))
    taken = take_free_objects(near, detections=len(order), objects=len(counted))
    free = np.ones(len(counted), bool)
    free[taken[taken >= 0]] = False
    own, other = _Best.of(pairs.chosen(same), len(order)), _Best.of(pairs.chosen(~same), len(order))
    twice = _Best.of(pairs.chosen(same & ~free[pairs.objects]), len(order))
    kinds = np.full(len(order), TideError.BOTH, dtype=object)
    kinds[np.maximum(own.overlap, other.overlap) <= BACKGROUND_IOU] = TideError.BACKGROUND
    kinds[twice.overlap >= iou_threshold] = TideError.DUPLICATE
    kinds[other.overlap >= iou_threshold] = TideError.CLASS
    kinds[(own.overlap >= BACKGROUND_IOU) & (own.overlap <= iou_threshold)] = TideError.LOCATION
    kinds[taken >= 0] = "right"
    target = np.where(kinds == TideError.LOCATION, own.object, np.where(kinds == TideError.CLASS, other.object, -1))
    repairs = _best_repair(target, free)
    missed = free.copy()
    missed[repairs[repairs >= 0]] = False
    inside = _inside(images, boxes_xyxy, labels, truth, regions, iou_threshold, pixel_extent)
    return _Judged(
        labels=labels,
        scores=scores,
        taken=taken,
        ignored=inside & (taken < 0),
        kinds=kinds,
        repairs=repairs,
        object_labels=object_labels,
        free=free,
        missed=missed,
    )


def _first_of_each_image(detections: ScoredBoxes) -> Int[ndarray, " N"]:
    """Indices by image and descending score, limited in each image."""
    order = np.lexsort((-detections.scores, detections.images))
    images = detections.images[order]
    rank = np.arange(len(order)) - np.searchsorted(images, images)
    return order[rank < MOST_PER_IMAGE]


def _by_image(truth: TrueBoxes, which: Bool[ndarray, " A"]) -> Int[ndarray, " G"]:
    chosen = np.flatnonzero(which)
    return chosen[np.argsort(truth.images[chosen], kind="stable")]


@dataclass(frozen=True)
class _Best:
    """The object that each detection overlaps most: its index or -1, and the overlap."""

    object: Int[ndarray, " N"]
    overlap: ndarray

    @staticmethod
    def of(pairs: Pairs, count: int) -> _Best:
        nearest, overlap = np.full(count, -1), np.zeros(count)
        order = np.lexsort((-pairs.objects, pairs.overlaps))  # the last assignment wins: largest overlap, first object
        nearest[pairs.detections[order]] = pairs.objects[order]
        overlap[pairs.detections[order]] = pairs.overlaps[order]
        return _Best(nearest, overlap)


def _best_repair(target: Int[ndarray, " N"], free: Bool[ndarray, " G"]) -> Int[ndarray, " N"]:
    """Keep the targets that are free, each for the first detection that has it."""
    repairs = np.full(len(target), -1)
    able = np.flatnonzero(target >= 0)
    able = able[free[target[able]]]
    objects, first = np.unique(target[able], return_index=True)
    repairs[able[first]] = objects
    return repairs


def _inside(
    images: Int[ndarray, " N"],
    boxes_xyxy: ndarray,
    labels: Int[ndarray, " N"],
    truth: TrueBoxes,
    regions: Int[ndarray, " R"],
    least: float,
    pixel_extent: float,
) -> Bool[ndarray, " N"]:
    """Whether more than a share `least` of a detection lies inside a region of its class."""
    pairs = pairs_in_images(images, boxes_xyxy, truth.images[regions], truth.boxes_xyxy[regions], pixel_extent)
    pairs = pairs.chosen(truth.labels[regions][pairs.objects] == labels[pairs.detections])
    areas = (boxes_xyxy[:, 2:] - boxes_xyxy[:, :2] + pixel_extent).astype(float).prod(axis=1)[pairs.detections]
    theirs = truth.boxes_xyxy[regions][pairs.objects]
    their_areas = (theirs[:, 2:] - theirs[:, :2] + pixel_extent).astype(float).prod(axis=1)
    common = pairs.overlaps / (1 + pairs.overlaps) * (areas + their_areas)  # from intersection / union
    inside = np.zeros(len(images), bool)
    inside[pairs.detections[common / areas > least]] = True
    return inside


def _per_class(judged: _Judged, which: Bool[ndarray, " G"], class_count: int) -> Int[ndarray, " C"]:
    return np.bincount(judged.object_labels[which], minlength=class_count)
