"""Evaluations to the lines of a table; a cell that was not run has no values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from statistics import mean, stdev
from typing import Any

from pipeline.folder import Folder
from pipeline.keys.fingerprint import describe
from pipeline.stage import Stage
from pipeline.store.record import SUMMARY
from ssd_core.metrics.bootstrap import interval
from stages.tables.resampling import Sample, mean_sample, resampled
from stages.tables.support import Bounds, is_supported
from stages.tables.table import TABLE_CSV, TABLE_JSON, TABLE_LATEX, TABLE_MARKDOWN, TABLE_TEXT, Cell, Table, Unit

Samples = Mapping[int, Sample]
"""By seed."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One cell of the table; accuracies are fractions."""

    row: str
    column: str
    boxes: int | None
    published: float | None
    values: tuple[float, ...]
    """One per seed; empty when not run."""

    seeds: tuple[int, ...] = ()
    """Numbers of these seeds; from 0 on where they are not told."""

    metric: str = ""
    unit: Unit = "percent"
    quoted: bool = False
    """A number of the paper that we do not try to reach."""

    published_classes: Mapping[str, float] = field(default_factory=dict)
    interval: Bounds | None = None
    """Of our mean: 95 % of the resamplings of the test images."""

    published_change: float | None = None
    """Against the cell that this one is compared with, in the paper."""

    change: float | None = None
    """The same, ours: mean over the seeds that both cells have, each against the same seed."""

    change_seeds: int = 0
    """How many those are."""

    change_spread: float | None = None
    """Their standard deviation; from two on."""

    change_interval: Bounds | None = None
    """95 % of the resamplings of the test images."""

    per_class: Mapping[str, float]
    """Mean over the seeds."""

    @property
    def by_seed(self) -> dict[int, float]:
        return dict(zip(self.seeds or range(len(self.values)), self.values, strict=True))

    @property
    def mean(self) -> float | None:
        return mean(self.values) if self.values else None

    @property
    def spread(self) -> float | None:
        """Standard deviation over the seeds, from two on."""
        return stdev(self.values) if len(self.values) > 1 else None

    @property
    def difference(self) -> float | None:
        """Ours less the paper's."""
        return self.mean - self.published if self.mean is not None and self.published is not None else None

    @property
    def difference_interval(self) -> Bounds | None:
        """Of the test images; the paper's number has none."""
        if self.interval is None or self.published is None:
            return None
        return self.interval[0] - self.published, self.interval[1] - self.published

    @property
    def supports_difference(self) -> bool | None:
        """Whether the data support the difference to the paper; None where nothing is known of it."""
        return _supports(self.difference, self.difference_interval, self.spread, len(self.values))

    @property
    def supports_change(self) -> bool | None:
        return _supports(self.change, self.change_interval, self.change_spread, self.change_seeds)


def write_table(stage: Table, results: Sequence[Sequence[Folder]], out: Folder) -> None:
    """Write all forms of the table."""
    lines = tabulate(stage, results)
    told = [asdict(line) | {"mean": line.mean, "spread": line.spread, "difference": line.difference} for line in lines]
    out.write_json(TABLE_JSON, {"title": stage.title, "preset": stage.preset, "metric": stage.metric, "cells": told})
    for name, content in forms(stage, lines).items():
        out.write_bytes(name, content.encode())


def forms(stage: Table, lines: Sequence[Line]) -> dict[str, str]:
    """The table for people and their papers, by name of the file."""
    from stages.tables.latex import as_latex
    from stages.tables.text import as_csv, as_markdown, as_text

    return {
        TABLE_CSV: as_csv(stage, lines),
        TABLE_MARKDOWN: as_markdown(stage, lines),
        TABLE_TEXT: as_text(stage, lines),
        TABLE_LATEX: as_latex(stage, lines),
    }


def read_lines(folder: Folder) -> list[Line]:
    """The lines that `write_table` wrote."""
    return [_read(cell) for cell in folder.read_json(TABLE_JSON)["cells"]]


def tabulate(stage: Table, results: Sequence[Sequence[Folder | None]]) -> list[Line]:
    """Lines in the order of the cells; `results` holds the evaluations of each cell by seed, None for one to run."""
    there = [{seed: folder for seed, folder in enumerate(folders) if folder} for folders in results]
    lines = [_line(stage, cell, folders) for cell, folders in zip(stage.cells, there, strict=True)]
    samples = [resampled(line.metric, folders, stage.replicates) for line, folders in zip(lines, there, strict=True)]
    firsts = [_first(stage, number) for number in range(len(lines))]
    return [
        _bounded(line if first == number else _against(line, lines[first], sample, samples[first]), sample)
        for number, (line, sample, first) in enumerate(zip(lines, samples, firsts, strict=True))
    ]


def _line(stage: Table, cell: Cell, folders: Mapping[int, Folder]) -> Line:
    summaries = {seed: folder.read_json(SUMMARY) for seed, folder in folders.items()}
    metric = cell.metric or stage.metric
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


def _first(stage: Table, number: int) -> int:
    """The cell that a cell is compared with: the first of its metric on its test images. A quoted one: itself."""
    here = stage.cells[number]
    if not here.results:
        return number
    metric, images = here.metric or stage.metric, _test_images(here)
    for place, cell in enumerate(stage.cells[:number]):
        if cell.results and (cell.metric or stage.metric) == metric and _test_images(cell) == images:
            return place
    return number


def _test_images(cell: Cell) -> Stage | None:
    return describe(cell.results[0]).inputs.get("shards")


def _against(line: Line, first: Line, samples: Samples, first_samples: Samples) -> Line:
    """The line with its changes against another one, as far as both sides are known."""
    if line.published is not None and first.published is not None:
        line = replace(line, published_change=line.published - first.published)
    ours, theirs = line.by_seed, first.by_seed
    both = [seed for seed in ours if seed in theirs]
    if not both:
        return line
    changes = [ours[seed] - theirs[seed] for seed in both]
    spread = stdev(changes) if len(changes) > 1 else None
    line = replace(line, change=mean(changes), change_seeds=len(both), change_spread=spread)
    if not (samples and first_samples):
        return line
    return replace(line, change_interval=interval(mean_sample(samples, both) - mean_sample(first_samples, both)))


def _bounded(line: Line, samples: Samples) -> Line:
    return replace(line, interval=interval(mean_sample(samples, samples))) if samples else line


def _supports(value: float | None, bounds: Bounds | None, spread: float | None, seeds: int) -> bool | None:
    return None if value is None or bounds is None else is_supported(value, bounds, spread, seeds)


def _per_class(summaries: Sequence[Mapping[str, float]], metric: str) -> dict[str, float]:
    """Of the main number of each protocol only: the others have none."""
    protocol, _, name = metric.partition("/")
    if name not in ("mAP", "AP"):
        return {}
    prefix = f"{protocol}/AP/"
    names = [name for name in (summaries[0] if summaries else {}) if name.startswith(prefix)]
    return {name.removeprefix(prefix): mean(summary[name] for summary in summaries) for name in names}


def _read(cell: Mapping[str, Any]) -> Line:
    known = {item.name for item in fields(Line)} & cell.keys()
    told: dict[str, Any] = {name: _tuple(cell[name]) for name in known}
    return Line(**told)


def _tuple(value: Any) -> Any:
    """JSON has no tuples."""
    return tuple(value) if isinstance(value, list) else value
