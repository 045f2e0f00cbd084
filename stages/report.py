"""The report of an experiment: one HTML page that needs nothing beside it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from stages.table import Table
from stages.table_text import SCALES, cells
from stages.tabulate import Line

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 84rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums;
  display: block; overflow-x: auto; }
th, td { padding: .3rem .55rem; border-bottom: 1px solid #ddd; text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
.settings th, .settings td { white-space: normal; overflow-wrap: anywhere; text-align: left; }
.note { background: #fff6dd; padding: .5rem .8rem; border-left: 4px solid #e0b030; }
"""


def html(stage: Table, lines: Sequence[Line]) -> str:
    """The page: table, classes, and what is not the paper's."""
    header, rows = cells(stage, lines)
    parts = [
        f"<h1>{escape(stage.title)}</h1>",
        f'<p class="note">{escape(SCALES[stage.preset])}</p>' if SCALES.get(stage.preset) else "",
        _table(header, rows),
        "<p>Numbers are mean average precision in percent (VOC, 11 points unless the metric says otherwise). "
        f"Metric: {escape(stage.metric)}. Changes are against the first row; in brackets the 95 % interval over "
        f"{stage.replicates} resamplings of the test images, the same for every row; * marks a change whose interval "
        "excludes zero. It tells of the test images, not of other seeds.</p>",
        "<h2>Classes</h2>",
        _table(*_classes(stage, lines)),
        "<h2>Distance from the paper</h2>",
        _table(["setting", "here", "paper"], [list(item) for item in stage.departures], "settings")
        if stage.departures
        else "<p>None.</p>",
    ]
    body = "\n".join(part for part in parts if part)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(stage.title)}</title>'
        f"<style>{STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def _classes(stage: Table, lines: Sequence[Line]) -> tuple[list[str], list[list[str]]]:
    names = sorted({name for line in lines for name in line.per_class})
    rows = [
        [f"{line.row} {line.column}".strip(), *(_percent(line.per_class.get(name)) for name in names)] for line in lines
    ]
    return [stage.row_title, *names], rows


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], kind: str = "numbers") -> str:
    head = "".join(f"<th>{escape(text)}</th>" for text in header)
    body = "\n".join("<tr>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>" for row in rows)
    return f'<table class="{kind}"><thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table>'


def _percent(fraction: float | None) -> str:
    return "" if fraction is None else f"{100 * fraction:.1f}"
