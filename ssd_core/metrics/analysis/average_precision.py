"""Mean average precision of detections that are known to be right or wrong, at COCO's 101 recall levels.

Letters: N detections, C classes.

Tested in tests/ssd_core/metrics/analysis/test_tide.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

LEVELS = np.arange(101) / 100


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """Detections; equal scores rank in the given order."""

    labels: Int[ndarray, " N"]
    scores: Float[ndarray, " N"]
    true: Bool[ndarray, " N"]


def mean_ap(ranked: Ranked, objects: Int[ndarray, " C"]) -> float:
    """Mean over the classes with detections or objects; a class without objects counts as 0."""
    order = np.argsort(-ranked.scores, kind="stable")
    labels, true = ranked.labels[order], ranked.true[order]
    classes = [label for label in range(len(objects)) if objects[label] or (labels == label).any()]
    values = [_ap(true[labels == label], int(objects[label])) for label in classes]
    return float(np.mean(values)) if values else 0.0


def _ap(true: Bool[ndarray, " D"], objects: int) -> float:
    if objects <= 0:
        return 0.0
    hits = np.cumsum(true)
    precision = hits / np.arange(1, len(true) + 1)
    best = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)  # at this recall or more
    return float(best[np.searchsorted(hits / objects, LEVELS)].mean())
