"""Annotations that are probably wrong, found by the detections that contradict them.

- `missing`: a detection that overlaps no object by 0.3 or more, so that an object was not annotated. The suspicion is
  its score.
- `class`: an object on which the best detection (overlap 0.5 or more) has another class. The suspicion is the
  difference between the best score of another class there and the best of the annotated class.

Difficult objects count as annotated and are not suspected. Of several detections at the same place, the best stands for
all; a place that explains a suspected class is not also reported as missing.
Letters: N detections, G objects.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from ssd_core.metrics.overlaps import Pairs, pairs_in_images
from ssd_core.metrics.voc_ap import ScoredBoxes, TrueBoxes

APART, SAME_PLACE = 0.3, 0.5
"""Overlap from which a detection may belong to an object, and from which it covers the same object."""


class Fault(StrEnum):
    """What is probably wrong."""

    MISSING = "missing"
    CLASS = "class"


@dataclass(frozen=True, kw_only=True)
class Suspect:
    """An annotation that is probably wrong, or one that is probably missing."""

    fault: Fault
    suspicion: float
    """From 0 to the highest score; the list is sorted by it."""

    detection: int
    """Index of the detection that contradicts the annotation."""

    object: int | None
    """Index of the suspected object; None for a missing one."""


def suspects(
    detections: ScoredBoxes, truth: TrueBoxes, *, most: int, least: float = 0.0, pixel_extent: float = 1.0
) -> list[Suspect]:
    """Return the `most` suspected annotations with a suspicion of at least `least`, the most suspicious first."""
    by_image = np.argsort(truth.images, kind="stable")
    strong = np.flatnonzero(detections.scores >= least)
    strong = strong[np.argsort(-detections.scores[strong], kind="stable")]
    pairs = pairs_in_images(
        detections.images[strong],
        detections.boxes_xyxy[strong],
        truth.images[by_image],
        truth.boxes_xyxy[by_image],
        pixel_extent,
    )
    pairs = Pairs(strong[pairs.detections], by_image[pairs.objects], pairs.overlaps)
    listed = [*_wrong_classes(detections, truth, pairs), *_missing(detections, pairs, strong, pixel_extent, most)]
    listed = [suspect for suspect in listed if suspect.suspicion >= max(least, 1e-9)]
    return sorted(listed, key=lambda suspect: -suspect.suspicion)[:most]


def _wrong_classes(detections: ScoredBoxes, truth: TrueBoxes, pairs: Pairs) -> list[Suspect]:
    near = pairs.chosen(pairs.overlaps >= SAME_PLACE)
    same = detections.labels[near.detections] == truth.labels[near.objects]
    own = _best_scores(detections.scores, near.chosen(same), len(truth.labels))
    other = near.chosen(~same)
    best = _best_scores(detections.scores, other, len(truth.labels))
    contradicting = dict(zip(other.objects[::-1].tolist(), other.detections[::-1].tolist(), strict=True))
    return [
        Suspect(
            fault=Fault.CLASS,
            suspicion=float(best[number] - max(own[number], 0.0)),
            detection=contradicting[number],
            object=number,
        )
        for number in np.flatnonzero((best > own) & ~truth.difficult).tolist()
    ]


def _best_scores(scores: Float[ndarray, " N"], pairs: Pairs, objects: int) -> Float[ndarray, " G"]:
    best = np.full(objects, -np.inf)
    np.maximum.at(best, pairs.objects, scores[pairs.detections])
    return best


def _missing(
    detections: ScoredBoxes, pairs: Pairs, strong: Int[ndarray, " N"], pixel_extent: float, most: int
) -> list[Suspect]:
    apart = np.ones(len(detections.scores), bool)
    apart[pairs.detections[pairs.overlaps >= APART]] = False
    candidates = strong[apart[strong]]
    return [
        Suspect(fault=Fault.MISSING, suspicion=float(detections.scores[number]), detection=number, object=None)
        for number in _best_of_each_place(detections, candidates, pixel_extent, most)
    ]


def _best_of_each_place(
    detections: ScoredBoxes, candidates: Int[ndarray, " N"], pixel_extent: float, most: int
) -> list[int]:
    """The first of all candidates that cover the same place, of any class."""
    kept: list[int] = []
    for number in candidates.tolist():
        if len(kept) == most:
            break
        before = np.array([other for other in kept if detections.images[other] == detections.images[number]], int)
        pairs = pairs_in_images(
            detections.images[[number]],
            detections.boxes_xyxy[[number]],
            detections.images[before],
            detections.boxes_xyxy[before],
            pixel_extent,
        )
        if not (pairs.overlaps >= SAME_PLACE).any():
            kept.append(number)
    return kept
