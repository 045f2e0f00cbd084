"""Whether scores are probabilities: precision by score, and the expected calibration error (Guo et al., ICML 2017).

Scores are divided into ten bins of equal width, each with its upper end. The error is the mean distance between a bin's
mean score and its precision, weighted by the number of its detections; detections on difficult objects do not count.
Letters: N detections, B bins.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

BINS = 10


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Scores against precision."""

    counts: Int[ndarray, " B"]
    scores: Float[ndarray, " B"]
    """Mean score; NaN in an empty bin, as is the precision."""

    precision: Float[ndarray, " B"]
    error: float
    """Expected calibration error; NaN without detections."""


def calibration(scores: Float[ndarray, " N"], true: Bool[ndarray, " N"]) -> Calibration | None:
    """Return the calibration of detections; None when a score is outside 0 to 1 and thus no probability."""
    if len(scores) and not (scores.min() >= 0 and scores.max() <= 1):
        return None
    bins = np.clip(np.ceil(scores * BINS).astype(np.int64) - 1, 0, BINS - 1)
    counts = np.bincount(bins, minlength=BINS)
    with np.errstate(invalid="ignore"):
        mean, precision = (np.bincount(bins, weights=values, minlength=BINS) / counts for values in (scores, true))
    gaps = np.abs(mean - precision)[counts > 0]
    error = float((gaps * counts[counts > 0]).sum() / counts.sum()) if len(scores) else float("nan")
    return Calibration(counts=counts, scores=mean, precision=precision, error=error)
