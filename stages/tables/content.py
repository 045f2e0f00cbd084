"""The request for a table and the data of its lines, independent of the output format.

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
"""How a number is printed: a fraction as percent, or the plain number (images per second)."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One number of the table."""

    row: str
    column: str = ""
    boxes: int
    """Number of default boxes of the detector; 0 if unknown."""

    published: float | None = None
    results: tuple[Stage, ...]
    """Evaluations, one per seed; empty for a quoted number."""

    metric: str = ""
    """Name in their `summary.json`; the table's metric if empty."""

    unit: Unit = "percent"
    published_classes: tuple[tuple[str, float], ...] = ()
    """Classes with their average precision, if the paper prints it."""


@dataclass(frozen=True, kw_only=True)
class TableContent:
    """Paper | ours | difference, and the change relative to a first cell with its 95 % interval.

    A cell is compared with the first cell of the same metric that is scored on the same images.
    """

    title: str
    preset: str
    row_title: str
    column_title: str = ""
    cells: tuple[Cell, ...]
    departures: tuple[tuple[str, str, str], ...] = ()
    """Departures from the paper that all cells share: field, ours, the paper's."""

    published_title: str = "paper"
    """Source of the published numbers."""

    metric: str = "voc07/mAP"
    replicates: int = 1000
    """Number of resamplings of the test images for an interval."""

    allows_trained_images: bool = field(init=False, default=False)
    """Whether a cell's detections may include images that were trained on.

    A field of the table, because its notes say so: two detections that differ in this alone may have equal results.
    """

    def __post_init__(self) -> None:
        detections = (getattr(result, "detections", None) for cell in self.cells for result in cell.results)
        allowed = any(getattr(stage, "allow_trained_images", False) for stage in detections)
        object.__setattr__(self, "allows_trained_images", allowed)


@dataclass(frozen=True, kw_only=True)
class Line:
    """One cell of the table with its results; accuracies are fractions."""

    row: str
    column: str
    boxes: int | None
    published: float | None
    values: tuple[float, ...]
    """Values, one per seed; empty if not run."""

    seeds: tuple[int, ...] = ()
    """Numbers of these seeds; if empty, they count from 0."""

    metric: str = ""
    unit: Unit = "percent"
    quoted: bool = False
    """Whether the published number is only quoted, without a run of ours."""

    published_classes: Mapping[str, float] = field(default_factory=dict)
    interval: Bounds | None = None
    """95 % interval of our mean over resamplings of the test images."""

    published_change: float | None = None
    """The paper's change relative to the cell that this one is compared with."""

    change: float | None = None
    """Our change relative to that cell: mean over the seeds that both cells have, paired by seed."""

    change_seeds: int = 0
    """Number of seeds that both cells have."""

    change_spread: float | None = None
    """Standard deviation of the change over these seeds; needs two or more."""

    change_interval: Bounds | None = None
    """95 % interval of the change over resamplings of the test images."""

    per_class: Mapping[str, float]
    """Average precision of each class, mean over the seeds."""

    @property
    def by_seed(self) -> dict[int, float]:
        return dict(zip(self.seeds or range(len(self.values)), self.values, strict=True))

    @property
    def mean(self) -> float | None:
        return mean(self.values) if self.values else None

    @property
    def spread(self) -> float | None:
        """Standard deviation over the seeds; None for fewer than two."""
        return stdev(self.values) if len(self.values) > 1 else None

    @property
    def difference(self) -> float | None:
        """Our mean minus the published value."""
        return self.mean - self.published if self.mean is not None and self.published is not None else None

    @property
    def difference_interval(self) -> Bounds | None:
        """Interval of the difference over resampled test images; the published value counts as exact."""
        if self.interval is None or self.published is None:
            return None
        return self.interval[0] - self.published, self.interval[1] - self.published

    @property
    def supports_difference(self) -> bool | None:
        """Whether the data support the difference from the paper; None if it or its interval is unknown."""
        return _supports(self.difference, self.difference_interval, self.spread, len(self.values))

    @property
    def supports_change(self) -> bool | None:
        return _supports(self.change, self.change_interval, self.change_spread, self.change_seeds)


def _supports(value: float | None, bounds: Bounds | None, spread: float | None, seeds: int) -> bool | None:
    return None if value is None or bounds is None else is_supported(value, bounds, spread, seeds)
