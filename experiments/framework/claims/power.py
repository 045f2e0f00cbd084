"""What the seeds of a planned experiment can show: from spreads in the store, or else from what is assumed.

Tested in tests/experiments/cli/claims/test_claims.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt
from statistics import variance

from experiments.framework.claims.assumptions import assumption
from experiments.framework.claims.measuring import measured_cells
from experiments.framework.comparison import StoredExperiment
from ssd_core.metrics.estimate import Spread
from ssd_core.metrics.power import detectable


@dataclass(frozen=True, kw_only=True)
class Power:
    """The change between two rows that a number of seeds finds with 80 % probability, as fractions."""

    seeds: int
    change: float
    spread: float
    """Standard deviation of one row between seeds."""

    source: str


def power(stored: StoredExperiment, seeds: int) -> Power:
    """Of the main metric of an experiment."""
    known = assumption(stored.table.preset, stored.table.metric)
    rows = [values for values in measured_cells(stored) if len(values) > 1]
    spread, source = (pooled(rows), f"{len(rows)} rows in the store") if rows else (known.seeds, known.source)
    between_rows = Spread(value=sqrt(2) * spread.value, freedom=spread.freedom)
    change = detectable(between_rows, image_error=sqrt(2) * known.images, seeds=seeds)
    return Power(seeds=seeds, change=change, spread=spread.value, source=source)


def pooled(rows: Iterable[list[float]]) -> Spread:
    """Standard deviation within rows of two values or more, taken as equal in all of them."""
    squares, freedom = 0.0, 0
    for values in rows:
        squares += variance(values) * (len(values) - 1)
        freedom += len(values) - 1
    return Spread(value=sqrt(squares / freedom), freedom=freedom)
