"""Evaluations to the lines of a table; a cell that was not run has no values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import mean, stdev

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from pipeline.folder import Folder
from ssd_core.bootstrap import COCO_LEVELS, LEVELS, image_weights, interval, replicate_map
from stages.evaluate import OUTCOMES, SUMMARY
from stages.outcomes import read_outcomes
from stages.table import REPORT, TABLE_CSV, TABLE_JSON, TABLE_MARKDOWN, TABLE_TEXT, Cell, Table

BOOTSTRAP_SEED = 0

Sample = Float[ndarray, " R"]
"""One number for each resampling of the test images."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One cell of the table; numbers are fractions."""

    row: str
    column: str
    boxes: int
    published: float | None
    values: tuple[float, ...]
    """One per seed; empty when not run."""

    published_change: float | None = None
    """Against the first line, in the paper."""

    change: float | None = None
    """Against the first line, ours: mean over the seeds."""

    change_interval: tuple[float, float] | None = None
    """95 % of the resamplings of the test images."""

    per_class: Mapping[str, float]
    """Mean over the seeds."""

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


def write_table(stage: Table, results: Sequence[Sequence[Folder]], out: Folder) -> None:
    """Write all forms of the table."""
    from stages.report import html
    from stages.table_text import as_csv, as_markdown, as_text

    lines = tabulate(stage, results)
    told = [asdict(line) | {"mean": line.mean, "spread": line.spread, "difference": line.difference} for line in lines]
    out.write_json(TABLE_JSON, {"title": stage.title, "preset": stage.preset, "metric": stage.metric, "cells": told})
    out.write_bytes(TABLE_CSV, as_csv(stage, lines).encode())
    out.write_bytes(TABLE_MARKDOWN, as_markdown(stage, lines).encode())
    out.write_bytes(TABLE_TEXT, as_text(stage, lines).encode())
    out.write_bytes(REPORT, html(stage, lines).encode())


def tabulate(stage: Table, results: Sequence[Sequence[Folder]]) -> list[Line]:
    """Lines in the order of the cells; `results` holds the evaluations of each cell that are there."""
    samples = [_replicates(stage, folders) for folders in results]
    lines = [_line(stage, cell, folders) for cell, folders in zip(stage.cells, results, strict=True)]
    changed = [
        _against(line, lines[0], sample, samples[0]) for line, sample in zip(lines[1:], samples[1:], strict=True)
    ]
    return [lines[0], *changed]


def _line(stage: Table, cell: Cell, folders: Sequence[Folder]) -> Line:
    summaries = [folder.read_json(SUMMARY) for folder in folders]
    return Line(
        row=cell.row,
        column=cell.column,
        boxes=cell.boxes,
        published=cell.published,
        values=tuple(float(summary[stage.metric]) for summary in summaries),
        per_class=_per_class(summaries, f"{stage.metric.partition('/')[0]}/AP/"),
    )


def _against(line: Line, first: Line, sample: Sample | None, first_sample: Sample | None) -> Line:
    """The line with its changes against the first one, as far as both sides are known."""
    if line.published is not None and first.published is not None:
        line = replace(line, published_change=line.published - first.published)
    if line.mean is None or first.mean is None or sample is None or first_sample is None:
        return line
    return replace(line, change=line.mean - first.mean, change_interval=interval(sample - first_sample))


def _per_class(summaries: Sequence[Mapping[str, float]], prefix: str) -> dict[str, float]:
    names = [name for name in (summaries[0] if summaries else {}) if name.startswith(prefix)]
    return {name.removeprefix(prefix): mean(summary[name] for summary in summaries) for name in names}


def _replicates(stage: Table, folders: Sequence[Folder]) -> Sample | None:
    """Mean over the seeds of each resampling; the same resamplings of the images for every cell."""
    if not folders:
        return None
    read = [read_outcomes(folder.read_bytes(OUTCOMES)) for folder in folders]
    weights = image_weights(read[0][1], stage.replicates, np.random.default_rng(BOOTSTRAP_SEED))
    levels = COCO_LEVELS if stage.metric.startswith("coco/") else LEVELS
    samples: Sample = np.mean([replicate_map(outcomes, weights, levels) for outcomes, _ in read], axis=0)
    return samples
