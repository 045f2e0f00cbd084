"""Layout of a table, independent of the output format: its header, and for each entry a text and its meaning.

A table of one or two columns is long: each cell has a line with its change. A table of more columns is wide: each row
has a line with paper | ours for each column.

Tested in tests/stages/tables/test_text.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from stages.shards.trained_images_note import TRAINED_IMAGES_ALLOWED
from stages.tables.content import Line, TableContent, Unit
from stages.tables.support import Bounds

SCALES = {
    "full": "",
    "short": "Preset short: the paper's detector on a shorter schedule. These are not the paper's conditions.",
    "tiny": "Preset tiny: a different detector on different images. Compare changes between rows, not levels.",
    "narrow": "Preset narrow: a different detector. Compare changes between rows, not levels.",
}
LEVELS_COMPARE = ("full", "short")
"""Presets with the paper's detector, whose levels can be compared with the paper's."""

LONG_COLUMNS = 2
"""Largest number of columns of a long table."""

Meaning = Literal["", "name", "absent", "supported", "unsupported"]


@dataclass(frozen=True)
class Entry:
    """One entry of the table."""

    text: str
    meaning: Meaning = ""


@dataclass(frozen=True)
class Layout:
    header: tuple[str, ...]
    rows: tuple[tuple[Entry, ...], ...]
    groups: tuple[tuple[str, int], ...] = ()
    """Headings of a wide table above the header, each with the number of columns it spans."""


def lay_out(table: TableContent, lines: Sequence[Line]) -> Layout:
    columns = _columns(lines)
    return _long(table, lines) if len(columns) <= LONG_COLUMNS else _wide(table, lines, columns)


def conditions(table: TableContent, lines: Sequence[Line]) -> list[str]:
    """Notes to read before the numbers."""
    notes = warnings(table)
    seeds = max((len(line.values) for line in lines), default=0)
    note = f"{seeds} seeds, ± is their standard deviation" if seeds > 1 else f"{seeds} seed{'s' if seeds != 1 else ''}"
    if len(_columns(lines)) <= LONG_COLUMNS and any(line.change is not None for line in lines):
        first = "Changes are relative to the first row, with 95 % intervals over resampled test images"
        several, one = "the test images and, with two or more seeds, by the seeds", "the test images, for this seed"
        note = f"{first}; {note}. * marks changes supported by {several if seeds > 1 else one}"
    return [*notes, f"{note}."]


def warnings(table: TableContent) -> list[str]:
    """Reasons why the numbers are not comparable with the paper's or not measured on unseen images."""
    allowed = TRAINED_IMAGES_ALLOWED if table.allows_trained_images else ""
    notes = [SCALES.get(table.preset, f"Preset {table.preset}."), allowed]
    return [note for note in notes if note]


def number(value: float | None, unit: Unit) -> str:
    if value is None:
        return ""
    return f"{100 * value:.1f}" if unit == "percent" else f"{value:.3g}"


def signed(value: float | None, unit: Unit) -> str:
    if value is None:
        return ""
    return f"{100 * value:+.1f}" if unit == "percent" else f"{value:+.3g}"


def _columns(lines: Sequence[Line]) -> list[str]:
    return list(dict.fromkeys(line.column for line in lines))


def _long(table: TableContent, lines: Sequence[Line]) -> Layout:
    paper = table.published_title
    header = [table.row_title, table.column_title, "boxes", paper, "ours", "difference", f"{paper}'s change"]
    header.append("our change")
    rows = [
        [
            Entry(line.row, "name"),
            Entry(line.column),
            Entry(str(line.boxes) if line.boxes else ""),
            Entry(number(line.published, line.unit)),
            _ours(line),
            _judged(line.difference, line.difference_interval, line.supports_difference, line.unit),
            Entry(signed(line.published_change, line.unit)),
            _judged(line.change, line.change_interval, line.supports_change, line.unit, line.change_spread),
        ]
        for line in lines
    ]
    kept = [place for place in range(len(header)) if _is_used(place, table, rows)]
    return Layout(tuple(header[place] for place in kept), tuple(tuple(row[place] for place in kept) for row in rows))


def _is_used(place: int, table: TableContent, rows: Sequence[Sequence[Entry]]) -> bool:
    """Whether a column of the long table is shown. Hidden are the column's name in a table of one column, unknown
    numbers of boxes, missing published values, and the difference from the paper if its detector differs."""
    boxes, published = (any(row[column].text for row in rows) for column in (2, 3))
    compared = published and table.preset in LEVELS_COMPARE
    return {1: bool(table.column_title), 2: boxes, 3: published, 5: compared, 6: published}.get(place, True)


def _wide(table: TableContent, lines: Sequence[Line], columns: Sequence[str]) -> Layout:
    cells = {(line.row, line.column): line for line in lines}
    names = list(dict.fromkeys(line.row for line in lines))
    rows = tuple((Entry(name, "name"), *_pairs([cells.get((name, column)) for column in columns])) for name in names)
    header = (table.row_title, *([table.published_title, "ours"] * len(columns)))
    return Layout(header, rows, groups=(("", 1), *((column, 2) for column in columns)))


def _pairs(lines: Sequence[Line | None]) -> list[Entry]:
    pairs = [(Entry(number(line.published, line.unit)), _ours(line)) if line else (Entry(""),) * 2 for line in lines]
    return [entry for pair in pairs for entry in pair]


def _ours(line: Line) -> Entry:
    if line.mean is None:
        return Entry("") if line.quoted else Entry("not run", "absent")
    return Entry(number(line.mean, line.unit) + _plus_minus(line.spread, line.unit))


def _judged(
    value: float | None, interval: Bounds | None, supported: bool | None, unit: Unit, spread: float | None = None
) -> Entry:
    """A difference, its spread over seeds, its interval, and whether the data support it."""
    if value is None:
        return Entry("")
    text = signed(value, unit) + _plus_minus(spread, unit)
    if interval is None:
        return Entry(text)
    text = f"{text} [{signed(interval[0], unit)}, {signed(interval[1], unit)}]"
    return Entry(text, "supported" if supported else "unsupported")


def _plus_minus(spread: float | None, unit: Unit) -> str:
    return "" if spread is None else f" ± {number(spread, unit)}"
