"""The tables of a report: results, seeds, classes, settings.

Tested in tests/stages/reporting/test_page.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from stages.reporting.content import Report, Setting
from stages.reporting.drawing import drawn_axis, drawn_change, shared_axis
from stages.reporting.grid import Cell, Grid, Row, plain_grid, texts
from stages.tables.content import Line, TableContent
from stages.tables.layout import Entry, Layout, lay_out, number

CLASSES_ACROSS = 22
SETTINGS_OPEN = 12


def results(content: TableContent, lines: Sequence[Line]) -> Grid:
    """Table of results; a long one with a drawing of the changes."""
    layout = lay_out(content, lines)
    axis = None if layout.groups else shared_axis(lines)
    header = texts(layout.header)
    rows = [_entries(layout, row) for row in layout.rows]
    if axis:
        header += (
            Cell(lines=(f"{content.published_title} ○ \N{EN SPACE} ours ●",), axis=drawn_axis(axis), kind="drawing"),
        )
        drawn = (Cell(change=drawn_change(line, axis), kind="drawing") for line in lines)
        rows = [(*row, drawing) for row, drawing in zip(rows, drawn, strict=True)]
    return Grid(header=header, rows=tuple(Row(cells=row) for row in rows), kind="results", groups=layout.groups)


def seeds(content: TableContent, lines: Sequence[Line]) -> Grid | None:
    """Table of values by seed; None if no row has two seeds."""
    most = max((seed + 1 for line in lines for seed in line.by_seed), default=0)
    if most < 2:
        return None
    header = [content.row_title, *(f"seed {seed}" for seed in range(most)), "mean", "spread"]
    rows = [
        [
            name(line),
            *(number(line.by_seed.get(seed), line.unit) for seed in range(most)),
            number(line.mean, line.unit),
            number(line.spread, line.unit),
        ]
        for line in lines
        if line.values
    ]
    return plain_grid(header, rows, "results")


def classes(content: TableContent, lines: Sequence[Line]) -> list[Grid]:
    """Tables of average precision by class, in blocks of classes; the paper's values, if printed, are below ours.

    The paper's values are omitted if our classes are different, as with drawn images.
    """
    ours = {name for line in lines for name in line.per_class}
    if ours and ours.isdisjoint(name for line in lines for name in line.published_classes):
        lines = [replace(line, published_classes={}) for line in lines]
    names = list(dict.fromkeys(name for line in lines for name in (*line.published_classes, *line.per_class)))
    starts = range(0, len(names), CLASSES_ACROSS)
    blocks = (_block(content, lines, names[start : start + CLASSES_ACROSS]) for start in starts)
    return [block for block in blocks if block.rows]


def settings(
    content: TableContent, departures: Sequence[tuple[str, tuple[Setting, ...]]]
) -> list[tuple[str, Grid, bool]]:
    """Title, table, and whether it is initially open: departures shared by all rows, then those of single rows.

    A long table opens at a click and is not printed while closed.
    """
    single = [[label if not place else "", *item] for label, own in departures for place, item in enumerate(own)]
    parts = [
        ("shared by all rows", ["setting", "here", "paper"], content.departures),
        ("of single rows", ["row", "setting", "here", "paper's SSD300"], single),
    ]
    return [
        (
            f"{len(rows)} settings {whose} that depart from the paper",
            plain_grid(header, rows, "settings"),
            len(rows) <= SETTINGS_OPEN,
        )
        for whose, header, rows in parts
        if rows
    ]


def conditions(report: Report) -> Grid | None:
    """Table of the conditions under which the results were made; None if nothing is known."""
    rows = tuple(Row(cells=(Cell(lines=(title,)), Cell(lines=items))) for title, items in report.conditions)
    return Grid(header=texts(("", "")), rows=rows, kind="settings conditions") if rows else None


def name(line: Line) -> str:
    return " · ".join(part for part in (line.row, line.column) if part)


def _block(content: TableContent, lines: Sequence[Line], names: Sequence[str]) -> Grid:
    rows = tuple(row for line in lines for row in _of_line(line, names))
    return Grid(header=texts((content.row_title, *names)), rows=rows, kind="classes")


def _of_line(line: Line, names: Sequence[str]) -> Iterator[Row]:
    for kind, values, label in (
        ("ours", line.per_class, name(line)),
        ("published", line.published_classes, "paper" if line.per_class else f"{name(line)} (paper)"),
    ):
        if any(class_name in values for class_name in names):
            cells = [number(values.get(class_name), "percent") for class_name in names]
            yield Row(cells=texts((label, *cells)), kind=kind)


def _entries(layout: Layout, row: Sequence[Entry]) -> tuple[Cell, ...]:
    return tuple(_entry(entry, title) for entry, title in zip(row, layout.header, strict=True))


def _entry(entry: Entry, title: str) -> Cell:
    kind = entry.meaning if entry.meaning != "name" else ""
    value, bracket, interval = entry.text.partition(" [")
    ours = "ours" if title == "ours" and entry.text else ""
    return Cell(lines=(value,), small=f"[{interval}" if bracket else "", kind=kind or ours)
