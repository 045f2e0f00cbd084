"""The page: one HTML file that needs nothing beside it and fetches nothing."""

from __future__ import annotations

from stages.reporting import tables
from stages.reporting.content import Report
from stages.reporting.curves import charts
from stages.reporting.rendering import render
from stages.tables.layout import warnings as table_warnings

READING = (
    "Accuracies are in percent. In brackets: the 95 % interval over {replicates} resamplings of the test images, the "
    "same for every row. A change is ours against the first row of its metric and test images. ±: the standard "
    "deviation over the seeds, of a change against the same seed. Bold: the interval leaves zero out, and so does the "
    "95 % t interval of the mean over seeds, from two on. Grey: the data do not support the difference. One seed tells "
    "nothing of others."
)


def page(report: Report) -> str:
    """The page of an experiment."""
    content, lines = report.table, report.lines
    return render(
        "report.html",
        report=report,
        title=f"{report.heading}: {report.question}",
        kicker=f"{report.heading} · {report.name} · preset {content.preset}",
        warnings=warnings(report),
        summary=summary(report),
        remarks=[(title, text) for title, text in report.remarks if text],
        results=tables.results(content, lines),
        reading=READING.format(replicates=content.replicates),
        seeds=tables.seeds(content, lines),
        classes=tables.classes(content, lines),
        charts=charts(report.curves),
        settings=tables.settings(content, report.departures),
        conditions=tables.conditions(report),
    )


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
