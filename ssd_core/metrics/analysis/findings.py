"""Classification of each detection: correct, or the kind of false positive (analyzeFalsePositives.m).

By descending score, equal scores in the given order, each detection takes the free object of its class that it
overlaps most; the devkit instead takes the best object and then checks whether it is free. An overlap of 0.5, or of
another threshold, makes a detection correct, on a difficult object as well. Otherwise, an overlap of at least 0.1 with
any object of its class, taken or free, makes it a localisation error; next, with an object of a similar class; next, of
any other class; the rest is background. Boxes are as in voc_ap: pixels, inclusive corners.
Letters: D detections of the class, G its objects.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from ssd_core.metrics.overlaps import Pairs, pairs_in_images, take_free_objects
from ssd_core.metrics.voc_ap import ScoredBoxes, TrueBoxes

STRONG, WEAK = 0.5, 0.1
"""Minimum overlaps of a correct detection by default, and of one that is correct but for its localisation."""

TRUE, IGNORED, FALSE = 1, 0, -1


class Kind(IntEnum):
    """Kinds of detections, in the order in which they are plotted."""

    CORRECT = 0
    LOCALISATION = 1
    SIMILAR = 2
    OTHER = 3
    BACKGROUND = 4


@dataclass(frozen=True, kw_only=True)
class Findings:
    """Findings on the detections of one class, by descending score."""

    kinds: Int[ndarray, " D"]
    strong: Int[ndarray, " D"]
    """TRUE, FALSE, or IGNORED (on a difficult object), at the overlap of a correct detection."""

    weak: Int[ndarray, " D"]
    """As `strong`, at an overlap of 0.1, and with duplicates IGNORED."""

    duplicates: Bool[ndarray, " D"]
    """Whether all objects that the detection overlaps weakly are taken."""

    taken: Int[ndarray, " D"]
    """Index of the object that each correct detection took, otherwise -1."""

    objects_xyxy: Float[ndarray, "G 4"]
    difficult: Bool[ndarray, " G"]

    @property
    def objects(self) -> int:
        """Number of objects, without difficult ones."""
        return int(np.count_nonzero(~self.difficult))


def find(
    detections: ScoredBoxes,
    truth: TrueBoxes,
    *,
    label: int,
    similar: frozenset[int],
    iou_threshold: float = STRONG,
    pixel_extent: float = 1.0,
) -> Findings:
    """Classify the detections of the class `label`; `similar` are the classes similar to it."""
    mine = np.flatnonzero(detections.labels == label)
    mine = mine[np.argsort(-detections.scores[mine], kind="stable")]
    by_image = np.argsort(truth.images, kind="stable")
    labels, difficult = truth.labels[by_image], truth.difficult[by_image]
    pairs = pairs_in_images(
        detections.images[mine],
        detections.boxes_xyxy[mine],
        truth.images[by_image],
        truth.boxes_xyxy[by_image],
        pixel_extent,
    )
    near = pairs.chosen(pairs.overlaps >= WEAK)
    own = near.chosen(labels[near.objects] == label)
    counts = {"detections": len(mine), "objects": len(labels)}
    strong_taken = take_free_objects(own.chosen(own.overlaps >= iou_threshold), **counts)
    weak_taken = take_free_objects(own, **counts)
    duplicates = _reached(own, len(mine)) & (weak_taken < 0)
    weak = _labels(weak_taken, difficult)
    weak[duplicates] = IGNORED
    objects = np.flatnonzero(labels == label)
    place = np.full(len(labels) + 1, -1)  # the last entry stands for no object
    place[objects] = np.arange(len(objects))
    return Findings(
        kinds=_kinds(near, labels, strong_taken, label, similar),
        strong=_labels(strong_taken, difficult),
        weak=weak,
        duplicates=duplicates,
        taken=place[strong_taken],
        objects_xyxy=truth.boxes_xyxy[by_image][objects].astype(np.float64),
        difficult=difficult[objects],
    )


def _kinds(
    near: Pairs,
    labels: Int[ndarray, " G"],
    taken: Int[ndarray, " D"],
    label: int,
    similar: frozenset[int],
) -> Int[ndarray, " D"]:
    """Assign the kinds in reverse order of precedence, so that the first that applies wins."""
    classes = labels[near.objects]
    kinds = np.full(len(taken), Kind.BACKGROUND)
    kinds[_reached(near, len(taken))] = Kind.OTHER
    kinds[_reached(near.chosen(np.isin(classes, sorted(similar))), len(taken))] = Kind.SIMILAR
    kinds[_reached(near.chosen(classes == label), len(taken))] = Kind.LOCALISATION
    kinds[taken >= 0] = Kind.CORRECT
    return kinds


def _reached(pairs: Pairs, count: int) -> Bool[ndarray, " D"]:
    """Return a mask of the detections that occur in a pair."""
    reached = np.zeros(count, bool)
    reached[pairs.detections] = True
    return reached


def _labels(taken: Int[ndarray, " D"], difficult: Bool[ndarray, " G"]) -> Int[ndarray, " D"]:
    labels = np.full(len(taken), FALSE)
    found = taken >= 0
    labels[found] = np.where(difficult[taken[found]], IGNORED, TRUE)
    return labels
