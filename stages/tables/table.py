"""The table of an experiment: the paper's numbers, ours, and how far the data support a difference.

The result: `table.json` (fractions), `table.csv`, `table.md`, `table.txt` and `table.tex`. The page that shows it with
all that belongs to it is a view of the store (`ssdpipe report`), so that it can also tell of what was not run.

Tested in tests/stages/tables/test_tabulate.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipeline.stage import Context, Stage

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
class Table(Stage):
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

    def artifacts(self) -> tuple[str, ...]:
        return (TABLE_JSON, TABLE_CSV, TABLE_MARKDOWN, TABLE_LATEX)

    def description(self) -> str:
        return TABLE_MARKDOWN

    def run(self, ctx: Context) -> None:
        from stages.tables.tabulate import write_table

        write_table(self, [[ctx.input(result) for result in cell.results] for cell in self.cells], ctx.out)
