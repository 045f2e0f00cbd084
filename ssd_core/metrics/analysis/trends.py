"""Shares of the kinds of detections against their number, for a group of classes (displayDetectionTrend.m,
displayFPTrend.m).

Counts are summed over the classes at each rank, then accumulated over the ranks; a tick is read at the first rank where
the running total reaches it. In the tool this total counts background twice (the shares do not), so that ticks are read
too early; this is reproduced here unless `fixed`. Its chart of false positives also sums logical arrays, which MATLAB
saturates at 0 or 1 per rank; this is not reproduced.
Letters: T ticks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from ssd_core.metrics.analysis.findings import TRUE, Findings, Kind

DETECTION_TICKS = (1 / 8, 1 / 4, 1 / 2, 1.0, 2.0, 4.0, 8.0)
"""Ticks in units of the mean number of objects per class."""

FALSE_POSITIVE_TICKS = (25, 50, 100, 200, 400, 800, 1600, 3200)


@dataclass(frozen=True, kw_only=True)
class DetectionTrend:
    """Shares of the kinds among the top detections, and recall. NaN where there are fewer detections."""

    objects: int
    """Mean number of objects per class, rounded: the unit of the ticks."""

    ticks: tuple[float, ...]
    shares: Float[ndarray, "T 5"]
    """Shares in the order of Kind; each row sums to 1."""

    recall: Float[ndarray, " T"]
    """Mean over the classes, each at its own number of objects times the tick."""

    weak_recall: Float[ndarray, " T"]
    """Recall at an overlap of 0.1, with duplicates moved to the end."""


@dataclass(frozen=True, kw_only=True)
class FalsePositiveTrend:
    """Shares of the kinds among the top false positives. NaN where there are fewer."""

    ticks: tuple[int, ...]
    shares: Float[ndarray, "T 4"]
    """Shares in the order of Kind, without CORRECT; each row sums to 1."""


def detection_trend(
    group: Sequence[Findings], *, ticks: tuple[float, ...] = DETECTION_TICKS, fixed: bool = False
) -> DetectionTrend:
    """Return the trend of a group of classes; those without objects are excluded. Raises ValueError if none has any."""
    group = [findings for findings in group if findings.objects]
    if not group:
        raise ValueError("no class of the group has an object that is not difficult")
    (unit,) = rounded(np.mean([[findings.objects for findings in group]], axis=1)).tolist()
    return DetectionTrend(
        objects=unit,
        ticks=ticks,
        shares=_shares(_cumulated(group), np.array(ticks) * unit, fixed),
        recall=np.mean([_recall(findings.strong, findings.objects, ticks) for findings in group], axis=0),
        weak_recall=np.mean([_recall(_weak(findings), findings.objects, ticks) for findings in group], axis=0),
    )


def false_positive_trend(
    group: Sequence[Findings], *, ticks: tuple[int, ...] = FALSE_POSITIVE_TICKS, fixed: bool = False
) -> FalsePositiveTrend:
    """Return the trend of a group of classes; those without objects are excluded."""
    counts = _cumulated([findings for findings in group if findings.objects])
    return FalsePositiveTrend(
        ticks=ticks, shares=_shares(counts[:, Kind.LOCALISATION :], np.array(ticks, float), fixed)
    )


def rounded(values: Float[ndarray, " T"]) -> Int[ndarray, " T"]:
    """Round non-negative values to the nearest integer, halves up, as MATLAB does."""
    return np.floor(values + 0.5).astype(np.int64)


def _cumulated(group: Sequence[Findings]) -> Int[ndarray, "R 5"]:
    """Return the number of detections of each kind up to each rank, over all classes."""
    counts = np.zeros((max((len(findings.kinds) for findings in group), default=0), len(Kind)), np.int64)
    for findings in group:
        counts[np.arange(len(findings.kinds)), findings.kinds] += 1
    return counts.cumsum(axis=0)


def _shares(counts: Int[ndarray, "R K"], wanted: Float[ndarray, " T"], fixed: bool) -> Float[ndarray, "T K"]:
    """Return the shares at the first rank whose total reaches each wanted number; background is the last column."""
    total = counts.sum(axis=1) + (0 if fixed else counts[:, -1])
    places = np.searchsorted(total, wanted)
    shares = np.full((len(wanted), counts.shape[1]), np.nan)
    reached = places < len(counts)
    totals = counts[places[reached]]
    shares[reached] = totals / totals.sum(axis=1, keepdims=True)
    return shares


def _recall(labels: Int[ndarray, " D"], objects: int, ticks: Sequence[float]) -> Float[ndarray, " T"]:
    """Return the recall among the first detections of a class, as many as its objects times each tick."""
    if not len(labels):
        return np.zeros(len(ticks))
    ranks = rounded(np.array(ticks) * objects).clip(1, len(labels))
    recall: Float[ndarray, " T"] = np.cumsum(labels == TRUE)[ranks - 1] / objects
    return recall


def _weak(findings: Findings) -> Int[ndarray, " D"]:
    return findings.weak[np.argsort(findings.duplicates, kind="stable")]
