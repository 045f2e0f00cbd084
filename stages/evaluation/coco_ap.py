"""Average precision and recall as COCO defines them (paper, Table 5), computed by one of two tools with equal digits.

Boxes are (x, y, width, height) in pixels of the original image, continuous coordinates. Equal scores are ordered by
image index, then in the given order.
Letters: N detections, G objects, D detections of one class, C classes, T IoU thresholds, R recalls, A sizes, M maxima.

Tested in tests/stages/evaluation/test_coco_results.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from ssd_core.metrics.voc_ap import Outcomes
from stages.evaluation.coco_input import CocoDetections, CocoObjects
from stages.evaluation.coco_judged import Judge, Judged, JudgedPair
from stages.evaluation.coco_tools import chosen

NUMBERS = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl")
"""Metrics in the order of pycocotools; s, m and l are objects of up to 32^2, up to 96^2 and more square pixels."""


@dataclass(frozen=True, kw_only=True)
class CocoResult:
    """COCO metrics as fractions; NaN if there is no object to average over."""

    numbers: dict[str, float]
    """Metrics by the names in `NUMBERS`."""

    ap_per_class: Float[ndarray, " C"]
    """Mean over the IoU thresholds 0.50, 0.55 ... 0.95."""

    judged: Judged

    @cached_property
    def outcomes(self) -> tuple[Outcomes, ...]:
        """Outcomes of each class at each of the ten IoU thresholds, class by class, for resampling images."""
        return tuple(outcome for pairs in self.judged.pairs() for outcome in _outcomes_of_class(pairs))


def evaluate_coco(
    detections: CocoDetections,
    objects: CocoObjects,
    *,
    image_count: int,
    class_count: int,
    judge: Judge | None = None,
) -> CocoResult:
    """Evaluate detections on `image_count` images by the tool that the user chose (`coco_tools.chosen`)."""
    judged = (judge or chosen())(detections, objects, image_count=image_count, class_count=class_count)
    return CocoResult(
        numbers={name: _or_nan(value) for name, value in zip(NUMBERS, judged.stats, strict=True)},
        ap_per_class=_ap_per_class(judged.precision),
        judged=judged,
    )


def id_order(image_id: str) -> tuple[bool, int, str]:
    """Sort key that orders ids as COCO's tool does: numbers by value, then texts."""
    return (False, int(image_id), "") if image_id.isdecimal() else (True, 0, image_id)


def _or_nan(value: float) -> float:
    return float(value) if value > -1 else float("nan")  # pycocotools writes -1 for an undefined value


def _ap_per_class(precision: Float[ndarray, "T R C A M"]) -> Float[ndarray, " C"]:
    """Mean precision over thresholds and recalls, for objects of all sizes and the largest number of detections."""
    of_class = precision[:, :, :, 0, -1]
    present = of_class[0, 0] > -1
    mean: Float[ndarray, " C"] = np.where(present, of_class.mean(axis=(0, 1)), np.nan)
    return mean


def _outcomes_of_class(pairs: Sequence[JudgedPair]) -> Iterator[Outcomes]:
    """Outcomes of one class at each of the ten IoU thresholds."""
    scores = np.concatenate([np.empty(0), *(pair.scores for pair in pairs)])
    order = np.argsort(-scores, kind="mergesort")
    images = np.repeat([pair.image for pair in pairs], [len(pair.scores) for pair in pairs])[order]
    none = np.empty((10, 0), bool)
    matched = np.concatenate([none, *(pair.matched for pair in pairs)], axis=1)[:, order]
    ignored = np.concatenate([none, *(pair.ignored for pair in pairs)], axis=1)[:, order]
    object_images = np.repeat([pair.image for pair in pairs], [pair.object_count for pair in pairs])
    for is_matched, is_ignored in zip(matched, ignored, strict=True):
        yield Outcomes(
            images=images.astype(np.int32),
            true=is_matched & ~is_ignored,
            counted=~is_ignored,
            object_images=object_images.astype(np.int32),
        )
