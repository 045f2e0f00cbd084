"""The tables of a report in HTML: results, seeds, classes, settings.

Tested in tests/stages/reporting/test_page.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from stages.reporting.content import Report, Setting
from stages.reporting.drawing import Axis, drawn_change, shared_axis
from stages.reporting.html import element, folded, plain_table, table, text
from stages.tables.content import Line, TableContent
from stages.tables.layout import Entry, Layout, lay_out, number

CLASSES_ACROSS = 22
SETTINGS_OPEN = 12


def results(content: TableContent, lines: Sequence[Line]) -> str:
    """The table; a long one with a drawing of the changes."""
    layout = lay_out(content, lines)
    axis = None if layout.groups else shared_axis(lines)
    header = [element("th", text(name)) for name in layout.header]
    rows = [_entries(layout, row) for row in layout.rows]
    if axis:
        header.append(element("th", f"{text(content.published_title)} ○ &ensp; ours ●", "drawing"))
        rows = [[*row, _drawing(line, axis)] for row, line in zip(rows, lines, strict=True)]
    return table(header, rows, "results", _groups(layout))


def seeds(content: TableContent, lines: Sequence[Line]) -> str:
    """What each seed gave, from two on."""
    most = max((seed + 1 for line in lines for seed in line.by_seed), default=0)
    if most < 2:
        return ""
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
    return plain_table(header, rows, "results")


def classes(content: TableContent, lines: Sequence[Line]) -> str:
    """Average precision of each class, a block of classes at a time; the paper's below ours where it is printed.

    The paper's is left out where ours are other classes, as those of drawn images are.
    """
    ours = {name for line in lines for name in line.per_class}
    if ours and ours.isdisjoint(name for line in lines for name in line.published_classes):
        lines = [replace(line, published_classes={}) for line in lines]
    names = list(dict.fromkeys(name for line in lines for name in (*line.published_classes, *line.per_class)))
    starts = range(0, len(names), CLASSES_ACROSS)
    return "\n".join(_block(content, lines, names[start : start + CLASSES_ACROSS]) for start in starts)


def settings(content: TableContent, departures: Sequence[tuple[str, tuple[Setting, ...]]]) -> str:
    """What all rows share that is not the paper's, then what single rows have; folded where it is long."""
    single = [[label if not place else "", *item] for label, own in departures for place, item in enumerate(own)]
    parts = [
        ("of all rows", ["setting", "here", "paper"], content.departures),
        ("of single rows", ["row", "setting", "here", "paper's SSD300"], single),
    ]
    return "\n".join(
        folded(
            f"{len(rows)} settings {whose} that are not the paper's",
            plain_table(header, rows, "settings"),
            is_open=len(rows) <= SETTINGS_OPEN,
        )
        for whose, header, rows in parts
        if rows
    )


def conditions(report: Report) -> str:
    rows = [
        [element("td", text(title)), element("td", "<br>".join(text(item) for item in items))]
        for title, items in report.conditions
    ]
    return table([element("th", ""), element("th", "")], rows, "settings conditions") if rows else ""


def name(line: Line) -> str:
    return " · ".join(part for part in (line.row, line.column) if part)


def _block(content: TableContent, lines: Sequence[Line], names: Sequence[str]) -> str:
    header = [element("th", text(content.row_title)), *(element("th", text(name)) for name in names)]
    rows = [row for line in lines for row in _of_line(line, names)]
    body = "\n".join(f'<tr class="{kind}">{"".join(cells)}</tr>' for kind, cells in rows)
    head = f"<thead><tr>{''.join(header)}</tr></thead>"
    return f'<div class="scroll"><table class="classes">{head}\n<tbody>\n{body}\n</tbody></table></div>' if rows else ""


def _of_line(line: Line, names: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    for kind, values, label in (
        ("ours", line.per_class, name(line)),
        ("published", line.published_classes, "paper" if line.per_class else f"{name(line)} (paper)"),
    ):
        if any(class_name in values for class_name in names):
            cells = [number(values.get(class_name), "percent") for class_name in names]
            yield kind, [element("td", text(cell)) for cell in (label, *cells)]


def _entries(layout: Layout, row: Sequence[Entry]) -> list[str]:
    return [_entry(entry, title) for entry, title in zip(row, layout.header, strict=True)]


def _entry(entry: Entry, title: str) -> str:
    kind = entry.meaning if entry.meaning != "name" else ""
    value, bracket, interval = text(entry.text).partition(" [")
    told = value + (f" <small>[{interval}</small>" if bracket else "")
    return element("td", told, kind or ("ours" if title == "ours" and entry.text else ""))


def _drawing(line: Line, axis: Axis) -> str:
    return element("td", drawn_change(line, axis), "drawing")


def _groups(layout: Layout) -> str:
    if not layout.groups:
        return ""
    return (
        "<tr>" + "".join(f'<th class="group" colspan="{n}">{text(title)}</th>' for title, n in layout.groups) + "</tr>"
    )
