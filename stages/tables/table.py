"""The table of an experiment: the paper's numbers, ours, and whether the data support a difference.

The result: `table.json` (fractions), `table.csv`, `table.md`, `table.txt` and `table.tex`. The report page that shows
it in context is a view of the store (`ssdpipe report`), so that it can also show what was not run.

Tested in tests/stages/tables/test_tabulate.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.stage import Context, Stage
from stages.tables.content import TABLE_CSV, TABLE_JSON, TABLE_LATEX, TABLE_MARKDOWN, TableContent


@dataclass(frozen=True, kw_only=True)
class Table(TableContent, Stage):
    """The table of one experiment."""

    def artifacts(self) -> tuple[str, ...]:
        return (TABLE_JSON, TABLE_CSV, TABLE_MARKDOWN, TABLE_LATEX)

    def description(self) -> str:
        return TABLE_MARKDOWN

    def run(self, ctx: Context) -> None:
        from stages.tables.forms import write_table
        from stages.tables.tabulate import tabulate

        lines = tabulate(self, [[ctx.input(result) for result in cell.results] for cell in self.cells])
        write_table(self, lines, ctx.out)
