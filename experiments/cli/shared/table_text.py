"""An experiment's table on a terminal: where it is too wide, headings and labels continue on further lines.

A table that is too wide all the same, with many columns, is turned: each column becomes a row.

Tested in tests/experiments/cli/shared/test_table_text.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from textwrap import wrap
from typing import TYPE_CHECKING

from experiments.cli.shared.printing import narrowed, text_width, wrapped
from pipeline.redaction import redacted_arguments

if TYPE_CHECKING:
    from experiments.framework.comparison import StoredExperiment

LABEL = 16
"""Least width of the labels of rows."""


def table_text(stored: StoredExperiment, settings: Sequence[str] = ()) -> str:
    """The table and its conditions, and below it what other implementations report for its rows.

    The `settings` that `-s` changed follow: a preset alone does not say them.
    """
    from experiments.framework.elsewhere import elsewhere_lines

    below = [f"Reported elsewhere: {line}" for line in elsewhere_lines(stored.table)]
    below += [f"Settings changed: {', '.join(redacted_arguments(settings))}."] if settings else []
    return _table_text(stored) + ("\n" + "".join(f"{wrapped(line, '')}\n" for line in below) if below else "")


def _table_text(stored: StoredExperiment) -> str:
    text, room = stored.text(), text_width()
    if not room or max(map(len, text.splitlines())) <= room:
        return text
    from stages.tables.layout import conditions
    from stages.tables.text import cells

    lines = stored.lines()
    head = [wrapped(each, "") for each in (stored.table.title, *conditions(stored.table, lines))]
    note = [wrapped(stored.note, "")] if stored.note else []
    return "\n".join([*head, "", *_laid_out(*cells(stored.table, lines), room), *note]) + "\n"


def _laid_out(header: Sequence[str], rows: Sequence[Sequence[str]], room: int) -> list[str]:
    upright = _fitted(header, rows, room)
    if max(map(len, upright)) <= room:
        return upright
    first, *others = zip(header, *rows, strict=True)
    return min(upright, _fitted(first, others, room), key=lambda printed: max(map(len, printed)))


def _fitted(header: Sequence[str], rows: Sequence[Sequence[str]], room: int) -> list[str]:
    """The rows with aligned columns: first headings, then the labels of rows continue on further lines."""
    numbers = range(1, len(header))
    whole = [max(len(row[at]) for row in (header, *rows)) for at in range(len(header))]
    least = [whole[0], *(max(map(len, [*header[at].split(), *(row[at] for row in rows)])) for at in numbers)]
    widths = narrowed(whole, least, room)
    words = max(len(word) for row in rows for word in row[0].split())
    widths = narrowed(widths, [max(LABEL, words), *widths[1:]], room)
    printed = [line for row in (header, *rows) for line in _lines(row, widths)]
    heading = len(_lines(header, widths))
    return [*printed[:heading], "-" * max(map(len, printed)), *printed[heading:]]


def _lines(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    parts = [wrap(cell, width) if len(cell) > width else [cell] for cell, width in zip(row, widths, strict=True)]
    return [
        "  ".join(
            [line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))]
        )
        for line in zip_longest(*parts, fillvalue="")
    ]
