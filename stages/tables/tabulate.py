"""Turn evaluations into the lines of a table; a cell that was not run has no values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import mean, stdev

from pipeline.folder import Folder
from pipeline.keys.fingerprint import describe
from pipeline.stage import Stage
from pipeline.store.record import read_summary
from ssd_core.metrics.bootstrap import interval
from stages.tables.content import Cell, Line, TableContent
from stages.tables.resampling import Sample, mean_sample, resampled

Samples = Mapping[int, Sample]
"""Resampled values by seed."""


def tabulate(table: TableContent, results: Sequence[Sequence[Folder | None]]) -> list[Line]:
    """Lines in the order of the cells; `results` holds each cell's evaluations by seed, None for one not yet run."""
    present = [{seed: folder for seed, folder in enumerate(folders) if folder} for folders in results]
    lines = [_line(table, cell, folders) for cell, folders in zip(table.cells, present, strict=True)]
    samples = [resampled(line.metric, folders, table.replicates) for line, folders in zip(lines, present, strict=True)]
    firsts = [_first(table, number) for number in range(len(lines))]
    return [
        _bounded(line if first == number else _against(line, lines[first], sample, samples[first]), sample)
        for number, (line, sample, first) in enumerate(zip(lines, samples, firsts, strict=True))
    ]


def _line(table: TableContent, cell: Cell, folders: Mapping[int, Folder]) -> Line:
    summaries = {seed: read_summary(folder) for seed, folder in folders.items()}
    metric = cell.metric or table.metric
    values = {seed: float(summary[metric]) for seed, summary in summaries.items() if metric in summary}
    return Line(
        row=cell.row,
        column=cell.column,
        boxes=cell.boxes,
        published=cell.published,
        values=tuple(values.values()),
        seeds=tuple(values),
        metric=metric,
        unit=cell.unit,
        quoted=not cell.results,
        published_classes=dict(cell.published_classes),
        per_class=_per_class(list(summaries.values()), metric),
    )


def _first(table: TableContent, number: int) -> int:
    """Index of the cell to compare with: the first of the same metric on the same test images; for a quoted cell,
    itself."""
    here = table.cells[number]
    if not here.results:
        return number
    metric, images = here.metric or table.metric, _test_images(here)
    for place, cell in enumerate(table.cells[:number]):
        if cell.results and (cell.metric or table.metric) == metric and _test_images(cell) == images:
            return place
    return number


def _test_images(cell: Cell) -> Stage | None:
    return describe(cell.results[0]).inputs.get("shards")


def _against(line: Line, first: Line, samples: Samples, first_samples: Samples) -> Line:
    """The line with its changes relative to `first`, as far as both are known."""
    if line.published is not None and first.published is not None:
        line = replace(line, published_change=line.published - first.published)
    values, first_values = line.by_seed, first.by_seed
    both = [seed for seed in values if seed in first_values]
    if not both:
        return line
    changes = [values[seed] - first_values[seed] for seed in both]
    spread = stdev(changes) if len(changes) > 1 else None
    line = replace(line, change=mean(changes), change_seeds=len(both), change_spread=spread)
    if not (samples and first_samples):
        return line
    return replace(line, change_interval=interval(mean_sample(samples, both) - mean_sample(first_samples, both)))


def _bounded(line: Line, samples: Samples) -> Line:
    return replace(line, interval=interval(mean_sample(samples, samples))) if samples else line


def _per_class(summaries: Sequence[Mapping[str, float]], metric: str) -> dict[str, float]:
    """Mean average precision by class; empty for metrics other than a protocol's main one, which alone has classes."""
    protocol, _, name = metric.partition("/")
    if name not in ("mAP", "AP"):
        return {}
    prefix = f"{protocol}/AP/"
    names = [name for name in (summaries[0] if summaries else {}) if name.startswith(prefix)]
    return {name.removeprefix(prefix): mean(summary[name] for summary in summaries) for name in names}
