"""The files of a table: JSON with all its numbers, and formats for readers and papers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import msgspec

from pipeline.folder import Folder
from pipeline.store.record import read_result
from stages.tables.content import (
    TABLE_CSV,
    TABLE_JSON,
    TABLE_LATEX,
    TABLE_MARKDOWN,
    TABLE_TEXT,
    Line,
    TableContent,
)
from stages.tables.latex import as_latex
from stages.tables.text import as_csv, as_markdown, as_text


def write_table(table: TableContent, lines: Sequence[Line], out: Folder) -> None:
    """Write the table in all formats."""
    cells = [asdict(line) | {"mean": line.mean, "spread": line.spread, "difference": line.difference} for line in lines]
    out.write_json(TABLE_JSON, {"title": table.title, "preset": table.preset, "metric": table.metric, "cells": cells})
    for name, content in forms(table, lines).items():
        out.write_bytes(name, content.encode())


def forms(table: TableContent, lines: Sequence[Line]) -> dict[str, str]:
    """The table in the formats for readers and papers, by file name."""
    return {
        TABLE_CSV: as_csv(table, lines),
        TABLE_MARKDOWN: as_markdown(table, lines),
        TABLE_TEXT: as_text(table, lines),
        TABLE_LATEX: as_latex(table, lines),
    }


def read_lines(folder: Folder) -> list[Line]:
    """Read back the lines that `write_table` wrote."""
    return read_result(folder, TABLE_JSON, _TABLE).cells


class _Table(msgspec.Struct):
    cells: list[Line]


_TABLE = msgspec.json.Decoder(_Table)
