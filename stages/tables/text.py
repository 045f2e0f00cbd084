"""A table as text: aligned for a terminal, Markdown, CSV. Percent with one decimal; CSV in fractions."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from stages.tables.content import Line, TableContent
from stages.tables.layout import Entry, conditions, lay_out

MARKS = {"supported": "*", "unsupported": " "}


def as_text(table: TableContent, lines: Sequence[Line]) -> str:
    """The table with aligned columns."""
    header, rows = cells(table, lines)
    printed = [header, *rows]
    widths = [max(len(row[column]) for row in printed) for column in range(len(header))]
    texts = [_aligned(row, widths) for row in printed]
    texts.insert(1, "-" * max(map(len, texts)))
    return "\n".join([table.title, *conditions(table, lines), "", *texts]) + "\n"


def as_markdown(table: TableContent, lines: Sequence[Line]) -> str:
    header, rows = cells(table, lines)
    ruler = ["---", *["---:"] * (len(header) - 1)]
    printed = ["| " + " | ".join(row) + " |" for row in (header, ruler, *rows)]
    return "\n".join([f"### {table.title}", "", *conditions(table, lines), "", *printed]) + "\n"


def as_csv(table: TableContent, lines: Sequence[Line]) -> str:
    """One line per cell, in both layouts; accuracies as fractions."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    limits = ["low", "high", "change_low", "change_high"]
    writer.writerow(
        [table.row_title, table.column_title or "column", "metric", "boxes", "paper", "ours", "spread", "seeds",
         "difference", "paper_change", "change", "change_spread", *limits]
    )  # fmt: skip
    for line in lines:
        low, high = line.interval or ("", "")
        change_low, change_high = line.change_interval or ("", "")
        writer.writerow(
            [line.row, line.column, line.metric, line.boxes or "", line.published, line.mean, line.spread,
             len(line.values), line.difference, line.published_change, line.change, line.change_spread,
             low, high, change_low, change_high]
        )  # fmt: skip
    return out.getvalue()


def cells(table: TableContent, lines: Sequence[Line]) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the printed table."""
    layout = lay_out(table, lines)
    above = [title for title, columns in layout.groups for _ in range(columns)] or [""] * len(layout.header)
    header = [f"{group} {name}".strip() for group, name in zip(above, layout.header, strict=True)]
    return header, [[_text(entry) for entry in row] for row in layout.rows]


def _text(entry: Entry) -> str:
    return entry.text + MARKS.get(entry.meaning, "")


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    first = row[0].ljust(widths[0])
    return "  ".join([first, *(text.rjust(width) for text, width in zip(row[1:], widths[1:], strict=True))])
