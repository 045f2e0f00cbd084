"""The numbers that claims are about, read from a store: by seed, and over resampled test images.

Tested in tests/experiments/framework/claims/test_judging.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np

from experiments.framework.claims.assumptions import Assumption, assumption
from experiments.framework.claims.claim import At, Claim, Contrast, Quantity, Recorded
from experiments.framework.comparison import StoredExperiment
from pipeline.errors import PipelineError
from pipeline.folder import Folder
from pipeline.store.record import read_summary
from pipeline.suggestion import suggestion
from ssd_core.metrics.estimate import KNOWN, Estimate, Spread, estimate
from ssd_core.metrics.sequential import moderated
from stages.tables.content import Cell
from stages.tables.resampling import Sample, mean_sample, resampled
from stages.tables.table import Table

REPLICATES = 200
"""Resamplings of the test images; the standard deviation over them is known to 5 %."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One number: its values by seed, its values on resampled images by seed, and the paper's."""

    values: Mapping[int, float]
    samples: Mapping[int, Sample]
    """Empty where the images cannot be resampled."""

    published: float | None
    seeds: Spread
    """Assumed standard deviation between seeds."""

    images: float
    """Assumed standard error over test images."""


def measured(
    stored: StoredExperiment, quantities: Iterable[Quantity], *, resample: bool = True
) -> dict[Quantity, Measured]:
    """Each number as far as the store has it. Raises PipelineError for a row that the table does not have."""
    outputs = stored.outputs()
    return {
        each: _in_table(stored.table, outputs, each, resample) if isinstance(each, At) else _recorded(stored, each)
        for each in quantities
    }


def is_within(table: Table, claim: Claim) -> bool:
    """Whether a table that is restricted to a column has the columns that a claim names."""
    columns = {cell.column for cell in table.cells}
    return all(each.column in columns for each in claim.quantities() if isinstance(each, At))


def measured_cells(stored: StoredExperiment) -> list[list[float]]:
    """The values of each cell that has the table's main metric, one for each seed in the store."""
    metric = stored.table.metric
    cells = zip(stored.table.cells, stored.outputs(), strict=True)
    of_metric = [[folder for folder in folders if folder] for cell, folders in cells if cell.metric in ("", metric)]
    summaries = [[read_summary(folder) for folder in folders] for folders in of_metric]
    return [[float(each[metric]) for each in row if metric in each] for row in summaries]


def estimated(contrast: Contrast, numbers: Mapping[Quantity, Measured]) -> Estimate | None:
    """The contrast's estimate over the seeds that all its numbers have; None without such a seed."""
    terms = [(numbers[quantity], weight) for quantity, weight in contrast.weights.items()]
    seeds = sorted(set.intersection(*(set(number.values) for number, _ in terms)))
    if not seeds:
        return None
    by_seed = [float(_sum(contrast, {id(n): n.values[seed] for n, _ in terms}, terms)) for seed in seeds]
    spread, _ = assumed(contrast, numbers)
    return estimate(by_seed, image_error=_image_error(contrast, numbers, seeds), assumed=spread)


def estimated_by_rows(contrast: Contrast, numbers: Mapping[Quantity, Measured], seeds: int) -> tuple[Estimate, bool]:
    """The estimate over the first seeds, with the spreads of its rows instead of that of their paired differences, and
    whether the stated spread supports it.

    Two rows with n seeds each have 2 (n - 1) degrees of freedom, their differences half as many. Rows that share what
    their seeds do vary less in their differences than this says.
    """
    paired = estimated(contrast, numbers)
    assert paired
    squares = {quantity: weight**2 for quantity, weight in contrast.weights.items()}
    scale = np.log if contrast.logarithmic else np.asarray
    variances = {each: float(np.var(scale([*numbers[each].values.values()]), ddof=1)) for each in squares}
    variance = sum(square * variances[each] for each, square in squares.items())
    freedom = (seeds - 1) * sum(squares.values()) ** 2 / sum(square**2 for square in squares.values())
    stated, _ = assumed(contrast, numbers)
    value, freedom, supported = moderated(variance, freedom, stated=stated.value**2)
    return replace(paired, spread=Spread(value=sqrt(value), freedom=float(freedom))), bool(supported)


def _image_error(contrast: Contrast, numbers: Mapping[Quantity, Measured], seeds: Sequence[int]) -> float:
    """Over resampled test images; the assumed error where they cannot be resampled."""
    terms = [(numbers[quantity], weight) for quantity, weight in contrast.weights.items()]
    if not all(number.samples for number, _ in terms):
        return assumed(contrast, numbers)[1]
    sample = _sum(contrast, {id(n): mean_sample(n.samples, seeds) for n, _ in terms}, terms)
    return float(np.nanstd(sample, ddof=1))


def published(contrast: Contrast, numbers: Mapping[Quantity, Measured]) -> float | None:
    """The paper's value of the contrast, if it prints all of its numbers."""
    terms = [(numbers[quantity], weight) for quantity, weight in contrast.weights.items()]
    printed = {id(number): number.published for number, _ in terms if number.published is not None}
    return float(_sum(contrast, printed, terms)) if len(printed) == len({id(number) for number, _ in terms}) else None


def assumed(contrast: Contrast, numbers: Mapping[Quantity, Measured]) -> tuple[Spread, float]:
    """The contrast's spread over seeds and its error over images, where nothing is measured."""
    terms = [(numbers[quantity], weight) for quantity, weight in contrast.weights.items()]
    spread = sqrt(sum((weight * number.seeds.value) ** 2 for number, weight in terms))
    images = sqrt(sum((weight * number.images) ** 2 for number, weight in terms))
    return Spread(value=spread, freedom=min(number.seeds.freedom for number, _ in terms)), images


def _sum(contrast: Contrast, values: Mapping[int, float | Sample], terms: list[tuple[Measured, float]]) -> np.ndarray:
    scale = np.log if contrast.logarithmic else np.asarray
    return np.asarray(sum(weight * scale(values[id(number)]) for number, weight in terms) - contrast.offset)


def _in_table(table: Table, outputs: Sequence[Sequence[Folder | None]], at: At, resample: bool) -> Measured:
    place = _place(table.cells, at)
    cell = table.cells[place]
    metric = cell.metric or table.metric
    folders = {seed: folder for seed, folder in enumerate(outputs[place]) if folder}
    summaries = {seed: read_summary(folder) for seed, folder in folders.items()}
    seeds, images = _assumed_errors(assumption(table.preset, metric), cell)
    return Measured(
        values={seed: float(summary[metric]) for seed, summary in summaries.items() if metric in summary},
        samples=resampled(metric, folders, REPLICATES) if folders and resample else {},
        published=cell.published,
        seeds=seeds,
        images=images,
    )


def _assumed_errors(accuracy: Assumption, cell: Cell) -> tuple[Spread, float]:
    """Those of accuracy; a speed, measured on the same machine, is assumed to vary by 3 % from one time to the next."""
    return (Spread(value=0.03), 0.0) if cell.unit == "plain" else (accuracy.seeds, accuracy.images)


def _place(cells: Iterable[Cell], at: At) -> int:
    for place, cell in enumerate(cells):
        if (cell.row, cell.column) == (at.row, at.column):
            return place
    raise PipelineError(_unknown(at, [(cell.row, cell.column) for cell in cells]))


def _unknown(at: At, known: list[tuple[str, str]]) -> str:
    rows = sorted({row for row, _ in known})
    if at.row not in rows:
        return f"a claim names the row {at.row!r}, which the table does not have; {suggestion(at.row, rows)}"
    columns = [column for row, column in known if row == at.row]
    return f"a claim names the column {at.column!r} of the row {at.row!r}, which has the columns {columns}"


def _recorded(stored: StoredExperiment, recorded: Recorded) -> Measured:
    values = {seed: recorded.value(folder) for seed, folder in _results(stored, recorded.stage)}
    return Measured(
        values={seed: value for seed, value in values.items() if value is not None},
        samples={},
        published=recorded.published,
        seeds=Spread(value=recorded.error, freedom=KNOWN),
        images=0.0,
    )


def _results(stored: StoredExperiment, stage: str) -> Iterator[tuple[int, Folder]]:
    """Seed and result of a stage, whose address may end with a seed."""
    for row, manifest in stored.results:
        address, _, seed = row.address.partition("/seed")
        if address == stage:
            yield int(seed or 0), stored.store.output(manifest)
