"""Sensitivity to object size and shape, by normalised average precision (averagePrecisionNormalized.m,
analyzeTrueDetections.m; the paper's Figures 4 and 6).

Precision depends on the number of objects; normalised precision treats every class as having `nominal` objects:
t / (t + false positives) with t = recall * nominal. Bins are percentiles of the class's own objects; true positives
of other bins are ignored, all false positives count.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan, sqrt

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from ssd_core.metrics.analysis.findings import FALSE, IGNORED, TRUE, Findings
from ssd_core.metrics.analysis.trends import rounded

NOMINAL_SHARE = 0.15
"""Nominal objects of a class per test image."""

PERCENTILES = (0.1, 0.3, 0.7, 0.9)
"""Upper ends of the first four bins; the five bins hold 10, 20, 40, 20 and 10 % of the objects."""


@dataclass(frozen=True, kw_only=True)
class NormalisedAp:
    """Normalised average precision and its error; NaN without objects."""

    value: float
    error: float
    """Standard error of the mean over the objects of the precision at which each is detected, 0 if missed."""

    objects: int


@dataclass(frozen=True, kw_only=True)
class Sensitivity:
    """Normalised average precision of one class."""

    overall: NormalisedAp
    area: tuple[NormalisedAp, ...]
    """From the smallest to the largest objects."""

    aspect: tuple[NormalisedAp, ...]
    """From tall to wide."""


def sensitivity(findings: Findings, *, nominal: float, pixel_extent: float = 1.0) -> Sensitivity:
    """Return the sensitivity of one class; `nominal` is NOMINAL_SHARE times the number of test images."""
    sides = findings.objects_xyxy[:, 2:] - findings.objects_xyxy[:, :2] + pixel_extent
    return Sensitivity(
        overall=normalised_ap(findings.strong, objects=findings.objects, nominal=nominal),
        area=_by_bins(findings, sides[:, 0] * sides[:, 1], nominal),
        aspect=_by_bins(findings, sides[:, 0] / sides[:, 1], nominal),
    )


def normalised_ap(labels: Int[ndarray, " D"], *, objects: int, nominal: float) -> NormalisedAp:
    """Return the normalised AP of detections by descending score, each TRUE, FALSE or IGNORED."""
    if not objects:
        return NormalisedAp(value=nan, error=nan, objects=0)
    weight = np.cumsum(labels == TRUE) * nominal / objects
    false = np.cumsum(labels == FALSE)
    with np.errstate(invalid="ignore"):  # 0 / 0 until the first that is true or false
        precision = weight / (weight + false)
    best = np.fmax.accumulate(precision[::-1])[::-1]
    found = np.zeros(objects)  # an object that is missed has precision 0
    found[: np.count_nonzero(labels == TRUE)] = best[labels == TRUE]
    error = float(found.std(ddof=1)) / sqrt(objects) if objects > 1 else 0.0
    return NormalisedAp(value=float(found.mean()), error=error, objects=objects)


def bins_of(values: Float[ndarray, " G"], counted: ndarray) -> Int[ndarray, " G"]:
    """Return the bin of each object, 0 to 4; thresholds come from the `counted` objects and belong to the lower bin."""
    ascending = np.sort(values[counted])
    if not len(ascending):
        return np.zeros(len(values), np.int64)
    places = rounded(np.array(PERCENTILES) * len(ascending)).clip(1)  # below five objects the first place
    return np.asarray((values[:, None] > ascending[places - 1]).sum(axis=1))


def _by_bins(findings: Findings, values: Float[ndarray, " G"], nominal: float) -> tuple[NormalisedAp, ...]:
    counted = ~findings.difficult
    bins = bins_of(values, counted)
    bin_of = np.full(len(findings.strong), -1)
    true = findings.strong == TRUE
    bin_of[true] = bins[findings.taken[true]]
    return tuple(
        normalised_ap(
            np.where(true & (bin_of != number), IGNORED, findings.strong),
            objects=int(np.count_nonzero(counted & (bins == number))),
            nominal=nominal,
        )
        for number in range(len(PERCENTILES) + 1)
    )
