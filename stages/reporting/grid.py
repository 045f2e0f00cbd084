"""A table on a page, as data.

Tested in tests/stages/reporting/test_page.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from stages.reporting.drawing import DrawnAxis, DrawnChange


@dataclass(frozen=True, kw_only=True)
class Cell:
    lines: tuple[str, ...] = ()
    small: str = ""
    """Text that follows in small print."""

    change: DrawnChange | None = None
    axis: DrawnAxis | None = None
    kind: str = ""
    """CSS class; rows and tables have one too."""


@dataclass(frozen=True, kw_only=True)
class Row:
    cells: tuple[Cell, ...]
    kind: str = ""


@dataclass(frozen=True, kw_only=True)
class Grid:
    header: tuple[Cell, ...]
    rows: tuple[Row, ...]
    kind: str
    groups: tuple[tuple[str, int], ...] = ()
    """Headings above the header, each with the number of columns it spans."""


def texts(plain: Iterable[str]) -> tuple[Cell, ...]:
    """One cell per text."""
    return tuple(Cell(lines=(text,)) for text in plain)


def plain_grid(header: Iterable[str], rows: Iterable[Iterable[str]], kind: str) -> Grid:
    """A table of plain texts."""
    return Grid(header=texts(header), rows=tuple(Row(cells=texts(row)) for row in rows), kind=kind)
