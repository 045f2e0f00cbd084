"""What each detection of a class is: correct, or which kind of false positive (analyzeFalsePositives.m).

By falling score, equal scores in the order given, each detection takes the object of its class that it overlaps most
of those that none has taken; the devkit instead takes the best object and then asks whether it is free. An overlap of
0.5 makes it correct, also on a difficult object. Otherwise, an overlap of 0.1 or more with any object of its
class, taken or not, is an error of localisation; then one with a similar class, then one with any other class; what is
left is background. Boxes are those of voc_ap: pixels, both corners inside.
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
"""Overlaps of a correct detection, and of one that found the object but not its place."""

TRUE, IGNORED, FALSE = 1, 0, -1


class Kind(IntEnum):
    """In the order in which they are drawn."""

    CORRECT = 0
    LOCALISATION = 1
    SIMILAR = 2
    OTHER = 3
    BACKGROUND = 4


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What became of the detections of one class, by falling score."""

    kinds: Int[ndarray, " D"]
    strong: Int[ndarray, " D"]
    """TRUE, FALSE, or IGNORED on a difficult object, at an overlap of 0.5."""

    weak: Int[ndarray, " D"]
    """The same at 0.1, where a duplicate is IGNORED."""

    duplicates: Bool[ndarray, " D"]
    """Those of the weak overlap: all objects that it reaches are taken."""

    taken: Int[ndarray, " D"]
    """The object that a detection took at 0.5, or -1."""

    objects_xyxy: Float[ndarray, "G 4"]
    difficult: Bool[ndarray, " G"]

    @property
    def objects(self) -> int:
        """Without difficult ones."""
        return int(np.count_nonzero(~self.difficult))


def find(
    detections: ScoredBoxes, truth: TrueBoxes, *, label: int, similar: frozenset[int], pixel_extent: float = 1.0
) -> Findings:
    """Judge the detections of the class `label`; `similar` are the classes that are like it."""
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
    strong_taken = take_free_objects(own.chosen(own.overlaps >= STRONG), **counts)
    weak_taken = take_free_objects(own, **counts)
    duplicates = _reached(own, len(mine)) & (weak_taken < 0)
    weak = _labels(weak_taken, difficult)
    weak[duplicates] = IGNORED
    objects = np.flatnonzero(labels == label)
    place = np.full(len(labels) + 1, -1)  # the last one stands for no object
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
    """From the last to the first, so that the first that holds stays."""
    of = labels[near.objects]
    kinds = np.full(len(taken), Kind.BACKGROUND)
    kinds[_reached(near, len(taken))] = Kind.OTHER
    kinds[_reached(near.chosen(np.isin(of, sorted(similar))), len(taken))] = Kind.SIMILAR
    kinds[_reached(near.chosen(of == label), len(taken))] = Kind.LOCALISATION
    kinds[taken >= 0] = Kind.CORRECT
    return kinds


def _reached(pairs: Pairs, count: int) -> Bool[ndarray, " D"]:
    """Which detections are in a pair."""
    reached = np.zeros(count, bool)
    reached[pairs.detections] = True
    return reached


def _labels(taken: Int[ndarray, " D"], difficult: Bool[ndarray, " G"]) -> Int[ndarray, " D"]:
    labels = np.full(len(taken), FALSE)
    found = taken >= 0
    labels[found] = np.where(difficult[taken[found]], IGNORED, TRUE)
    return labels
