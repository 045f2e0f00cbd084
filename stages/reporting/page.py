"""The page: one HTML file that needs nothing beside it and fetches nothing."""

from __future__ import annotations

from stages.reporting import tables
from stages.reporting.content import Report
from stages.reporting.curves import curves
from stages.reporting.html import element, image, link, paragraph, section, table, text
from stages.reporting.style import STYLE
from stages.tables.layout import warnings as table_warnings

READING = (
    "Accuracies are in percent. In brackets: the 95 % interval over {replicates} resamplings of the test images, the "
    "same for every row. A change is ours against the first row of its metric and test images. ±: the standard "
    "deviation over the seeds, of a change against the same seed. Bold: the interval leaves zero out, and so does the "
    "95 % t interval of the mean over seeds, from two on. Grey: the data do not support the difference. One seed tells "
    "nothing of others."
)


def page(report: Report) -> str:
    content, lines = report.table, report.lines
    sections = [
        section(
            "Results",
            tables.results(content, lines),
            paragraph(READING.format(replicates=content.replicates), "soft"),
            element("h3", "Seeds") + tables.seeds(content, lines) if tables.seeds(content, lines) else "",
        ),
        section("Classes", tables.classes(content, lines)),
        section("Curves", curves(report.curves)),
        section("Figures", *_figures(report)),
        section("Distance from the paper", _distance(report)),
        section("Conditions", tables.conditions(report)),
        section("Runs", _runs(report)),
    ]
    return _document(report, "\n".join([_top(report), *(part for part in sections if part)]))


def summary(report: Report) -> str:
    """How much of the experiment there is, and how much of it the data support."""
    asked = [line for line in report.lines if not line.quoted]
    run = [line for line in asked if line.values]
    seeds = sorted({len(line.values) for line in run})
    told = f"{len(run)} of {len(asked)} rows run" if asked else "All rows are quoted"
    if seeds:
        told += f", {' to '.join(map(str, seeds))} {'seed' if seeds == [1] else 'seeds'}"
    judged = [line for line in run if line.change_interval]
    if judged:
        supported = sum(bool(line.supports_change) for line in judged)
        told += f". Of {len(judged)} changes the data support {supported}"
    return f"{told}."


def warnings(report: Report) -> list[str]:
    """Why the numbers are not of the paper's conditions."""
    told = [*table_warnings(report.table), *report.warnings]
    if report.table.preset == "full" and (count := len(report.table.departures)):
        told.append(f"{count} settings of all rows are not the paper's; see Distance from the paper.")
    return told


def _top(report: Report) -> str:
    remarks = "".join(f"<dt>{text(title)}</dt><dd>{text(told)}</dd>" for title, told in report.remarks if told)
    parts = [
        paragraph(f"{report.heading} · {report.name} · preset {report.table.preset}", "kicker"),
        element("h1", text(report.question)),
        *(paragraph(warning, "banner") for warning in warnings(report)),
        paragraph(summary(report), "lead"),
        element("dl", remarks, "remarks") if remarks else "",
    ]
    return element("header", "\n".join(part for part in parts if part))


def _figures(report: Report) -> list[str]:
    """Under the address of the stage that made them."""
    parts, before = [], ""
    for item in report.images:
        if item.stage != before:
            parts.append(element("h3", text(item.stage)))
            before = item.stage
        name, _, suffix = item.name.rpartition(".")
        parts.append(image(item.content, suffix, name))
    return parts


def _distance(report: Report) -> str:
    none = "" if report.table.departures or report.departures else paragraph("Every setting is the paper's.")
    return none or tables.settings(report.table, report.departures)


def _runs(report: Report) -> str:
    waiting = ", ".join(report.waiting)
    rows = [[element("td", text(item.stage)), element("td", link(item.url, item.run[:8]))] for item in report.runs]
    parts = [
        table([element("th", "stage"), element("th", "MLflow")], rows) if rows else "",
        paragraph(report.runs_note, "soft") if rows else "",
        paragraph(f"Not run: {waiting}.") if waiting else "",
    ]
    return "\n".join(part for part in parts if part)


def _document(report: Report, body: str) -> str:
    title = f"{report.heading}: {report.question}"
    head = [
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f'<meta name="results" content="{report.digest}">',
        f"<title>{text(title)}</title>",
        f"<style>{STYLE}</style>",
    ]
    return f'<!doctype html>\n<html lang="en"><head>{"".join(head)}</head>\n<body>\n{body}\n</body></html>\n'
