"""The report page: one self-contained HTML file that fetches nothing."""

from __future__ import annotations

from collections.abc import Sequence

from stages.reporting import tables
from stages.reporting.analysis_page import TIDE, suspects
from stages.reporting.content import Errors, Report
from stages.reporting.curves import charts
from stages.reporting.grid import Grid, plain_grid
from stages.reporting.rendering import render
from stages.tables.layout import warnings as table_warnings

SUSPECTS = 20
"""Number of suspected annotations of each detector on the page."""

READING = (
    "Accuracies are in percent. Brackets hold the 95 % interval over {replicates} resamplings of the test images, "
    "which all rows share. Our change is relative to the first row with the same metric and test images. ± is the "
    "standard deviation over seeds; changes are paired by seed. Bold: the interval excludes zero and, with two or more "
    "seeds, so does the 95 % t interval of the mean over seeds. Grey: the data do not support the difference. One seed "
    "shows nothing about other seeds."
)


def page(report: Report) -> str:
    """Render the page of an experiment."""
    content, lines = report.table, report.lines
    return render(
        "report.html",
        report=report,
        title=content.title,
        kicker=f"{report.heading} · {report.name} · preset {content.preset}",
        warnings=warnings(report),
        summary=summary(report),
        remarks=[(title, text) for title, text in report.remarks if text],
        results=tables.results(content, lines),
        reading=READING.format(replicates=content.replicates),
        seeds=tables.seeds(content, lines),
        classes=tables.classes(content, lines),
        charts=charts(report.curves),
        errors=costs(report.errors) if report.errors else None,
        suspects=[(each.row, suspects(each.document["suspects"][:SUSPECTS])) for each in report.errors],
        settings=tables.settings(content, report.departures),
        conditions=tables.conditions(report),
    )


def costs(errors: Sequence[Errors]) -> Grid:
    """Average precision that each of TIDE's errors costs a detector, in points, and its calibration error."""
    rows = []
    for each in errors:
        found, calibration = each.document["tide"]["errors"], each.document["calibration"]
        ece = calibration["error"] if calibration else None
        lost = (f"{100 * found[name]['dAP']:.2f}" for name in TIDE)
        rows.append((each.row, *lost, "-" if ece is None else f"{100 * ece:.1f}"))
    return plain_grid(("analysis", *TIDE, "ECE"), rows, "")


def summary(report: Report) -> str:
    """How much of the experiment has been run, and how many changes the data support."""
    runnable = [line for line in report.lines if not line.quoted]
    run = [line for line in runnable if line.values]
    seeds = sorted({len(line.values) for line in run})
    text = f"{len(run)} of {len(runnable)} rows run" if runnable else "All rows are quoted"
    if seeds:
        text += f", {' to '.join(map(str, seeds))} {'seed' if seeds == [1] else 'seeds'}"
    judged = [line for line in run if line.change_interval]
    if judged:
        supported = sum(bool(line.supports_change) for line in judged)
        text += f". The data support {supported} of {len(judged)} changes"
    return f"{text}."


def warnings(report: Report) -> list[str]:
    """Reasons why the numbers are not comparable with the paper's or not measured on unseen images."""
    notes = [*table_warnings(report.table), *report.warnings]
    if report.table.preset == "full" and (count := len(report.table.departures)):
        notes.append(f"{count} settings shared by all rows depart from the paper; see Departures from the paper.")
    return notes
