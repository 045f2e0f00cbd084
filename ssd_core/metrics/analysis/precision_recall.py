"""The curve of precision against recall whose area is the average precision of VOC2010 and later."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from ssd_core.metrics.voc_ap import ClassResult


@dataclass(frozen=True, kw_only=True)
class PrecisionRecall:
    """A curve of S steps: `precision[i]` holds for recalls above `recall[i - 1]`, or 0, up to `recall[i]`."""

    recall: Float[ndarray, " S"]
    precision: Float[ndarray, " S"]
    """The best precision at this recall or more."""


def precision_recall(result: ClassResult) -> PrecisionRecall:
    """Return the curve of one class; empty without a true positive."""
    rises = np.flatnonzero(np.diff(result.recall, prepend=0) > 0) if result.objects else np.empty(0, np.int64)
    best = np.maximum.accumulate(result.precision[rises][::-1])[::-1]
    ends = np.flatnonzero(np.diff(best, append=-1))  # steps of equal precision are one
    return PrecisionRecall(recall=result.recall[rises][ends], precision=best[ends])
