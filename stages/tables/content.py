"""What a table asks for and what its lines hold, whatever it is written in.

Tested in tests/stages/tables/test_tabulate.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import mean, stdev
from typing import Literal

from pipeline.stage import Stage
from stages.tables.support import Bounds, is_supported

TABLE_JSON, TABLE_CSV, TABLE_MARKDOWN, TABLE_TEXT = "table.json", "table.csv", "table.md", "table.txt"
TABLE_LATEX = "table.tex"

Unit = Literal["percent", "plain"]
"""How a number is printed: a fraction as percent, or as it is (images per second)."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One number of the table."""

    row: str
    column: str = ""
    boxes: int
    """Default boxes of the detector; 0 where that is not said."""

    published: float | None = None
    results: tuple[Stage, ...]
    """Evaluations, one per seed; empty for a number that is only quoted."""

    metric: str = ""
    """Name in their `summary.json`; the table's when empty."""

    unit: Unit = "percent"
    published_classes: tuple[tuple[str, float], ...] = ()
    """Class and its average precision, where the paper prints it."""


@dataclass(frozen=True, kw_only=True)
class TableContent:
    """paper | ours | difference, and the change against a first cell with its 95 % interval.

    A cell is compared with the first one of the same metric that is scored on the same images.
    """

    title: str
    preset: str
    row_title: str
    column_title: str = ""
    cells: tuple[Cell, ...]
    departures: tuple[tuple[str, str, str], ...] = ()
    """What all cells share that is not the paper's: field, ours, the paper's."""

    published_title: str = "paper"
    """Whose the published numbers are."""

    metric: str = "voc07/mAP"
    replicates: int = 1000
    """Resamplings of the test images behind an interval."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One cell of the table; accuracies are fractions."""

    row: str
    column: str
    boxes: int | None
    published: float | None
    values: tuple[float, ...]
    """One per seed; empty when not run."""

    seeds: tuple[int, ...] = ()
    """Numbers of these seeds; from 0 on where they are not told."""

    metric: str = ""
    unit: Unit = "percent"
    quoted: bool = False
    """A number of the paper that we do not try to reach."""

    published_classes: Mapping[str, float] = field(default_factory=dict)
    interval: Bounds | None = None
    """Of our mean: 95 % of the resamplings of the test images."""

    published_change: float | None = None
    """Against the cell that this one is compared with, in the paper."""

    change: float | None = None
    """The same, ours: mean over the seeds that both cells have, each against the same seed."""

    change_seeds: int = 0
    """How many those are."""

    change_spread: float | None = None
    """Their standard deviation; from two on."""

    change_interval: Bounds | None = None
    """95 % of the resamplings of the test images."""

    per_class: Mapping[str, float]
    """Mean over the seeds."""

    @property
    def by_seed(self) -> dict[int, float]:
        return dict(zip(self.seeds or range(len(self.values)), self.values, strict=True))

    @property
    def mean(self) -> float | None:
        return mean(self.values) if self.values else None

    @property
    def spread(self) -> float | None:
        """Standard deviation over the seeds, from two on."""
        return stdev(self.values) if len(self.values) > 1 else None

    @property
    def difference(self) -> float | None:
        """Ours less the paper's."""
        return self.mean - self.published if self.mean is not None and self.published is not None else None

    @property
    def difference_interval(self) -> Bounds | None:
        """Of the test images; the paper's number has none."""
        if self.interval is None or self.published is None:
            return None
        return self.interval[0] - self.published, self.interval[1] - self.published

    @property
    def supports_difference(self) -> bool | None:
        """Whether the data support the difference to the paper; None where nothing is known of it."""
        return _supports(self.difference, self.difference_interval, self.spread, len(self.values))

    @property
    def supports_change(self) -> bool | None:
        return _supports(self.change, self.change_interval, self.change_spread, self.change_seeds)


def _supports(value: float | None, bounds: Bounds | None, spread: float | None, seeds: int) -> bool | None:
    return None if value is None or bounds is None else is_supported(value, bounds, spread, seeds)
