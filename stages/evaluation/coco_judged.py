"""Detections compared with objects by one of COCO's tools, in the form that all of them share.

Letters: D detections of one class in one image, C classes, T ten IoU thresholds, R recalls, A sizes, M maxima.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from jaxtyping import Bool, Float
from numpy import ndarray

from stages.evaluation.coco_input import CocoDetections, CocoObjects


@dataclass(frozen=True, kw_only=True)
class JudgedPair:
    """Detections of one class in one image, by descending score, against objects of all sizes."""

    image: int
    scores: Float[ndarray, " D"]
    matched: Bool[ndarray, "T D"]
    ignored: Bool[ndarray, "T D"]
    object_count: int
    """Number of objects that count."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What a tool computed; -1 stands for an undefined value."""

    stats: Sequence[float]
    """COCO's twelve metrics."""

    precision: Float[ndarray, "T R C A M"]
    pairs: Callable[[], Iterable[Sequence[JudgedPair]]]
    """For each class its images in order, those without a detection and without an object left out.

    A function, since reading them takes a tool longer than all the numbers.
    """


class Judge(Protocol):
    """A tool that implements COCO's protocol."""

    def __call__(
        self, detections: CocoDetections, objects: CocoObjects, *, image_count: int, class_count: int
    ) -> Judged:
        """Compare detections with objects."""
