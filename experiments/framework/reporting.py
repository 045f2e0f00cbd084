"""Gather the report of an experiment from the store; stages without a result are shown as not run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from experiments.framework.comparison import StoredExperiment
from experiments.framework.elsewhere import elsewhere_lines
from experiments.framework.setups import all_departures
from pipeline.mlflow_tracking.recorded_runs import LOCAL_PAGES, RecordedRun
from pipeline.planning.plan import PlanRow
from pipeline.store.record import CURVE, read_curve
from pipeline.store.store import Manifest, Store
from ssd_core.detection.limits import PAPER_LIMITS, DetectionLimits
from stages.analysis.analyze import Analyze
from stages.analysis.document import ANALYSIS
from stages.analysis.draw_detections import DrawDetections
from stages.detection.detect import Detect
from stages.graphs import Evaluation
from stages.reporting.conditions import conditions
from stages.reporting.content import Curve, Errors, Image, Report, RunLink, Setting, Verdicts
from stages.shards.counts import read_counts
from stages.shards.shard import Shard
from stages.tables.content import Cell
from stages.tables.table import Table
from stages.training.train import Train

if TYPE_CHECKING:
    from experiments.framework.experiment import Experiment

FIGURES = (".jpg", ".png", ".svg")


def gather(
    experiment: Experiment,
    stored: StoredExperiment,
    runs: Mapping[str, RecordedRun],
    *,
    verdicts: Verdicts | None = None,
    warnings: tuple[str, ...] = (),
) -> Report:
    """Everything that the page shows; `runs` are the recorded MLflow runs by key."""
    results = stored.results
    labels = _labels(stored.table)
    return Report(
        name=experiment.name,
        heading=experiment.answers,
        question=experiment.question,
        remarks=(
            ("Paper", experiment.found),
            ("Expected", experiment.expects),
            ("Differs", experiment.differs),
            *(("Reported elsewhere", line) for line in elsewhere_lines(stored.table)),
        ),
        warnings=(*warnings, *([stored.note] if stored.note else [])),
        verdicts=verdicts,
        table=stored.table,
        lines=tuple(stored.lines()),
        departures=_own_departures(stored.table),
        curves=tuple(_curves(results, stored.store, labels)),
        images=tuple(_images(results, stored.store)),
        pictures=tuple(pictures(results, stored.store, stored.table)),
        errors=tuple(_errors(results, stored.store)),
        conditions=(*_data(results, stored.store), *conditions([manifest for _, manifest in results])),
        runs=tuple(_links(results, runs)),
        runs_note=_note(stored.store, runs),
        digest=stored.digest,
        waiting=tuple(row.address for row in stored.rows if not row.manifest and not isinstance(row.node.stage, Table)),
    )


def _training(cell: Cell) -> Train | None:
    """The training behind a cell, for the first seed."""
    owner = cell.results[0].tracked_by() if cell.results else None
    return owner if isinstance(owner, Train) else None


def _limits(cell: Cell) -> DetectionLimits:
    """Limits of the detections behind a cell, for the first seed."""
    result = cell.results[0]
    made = result.detections if isinstance(result, Evaluation) else None
    return made.limits if isinstance(made, Detect) else PAPER_LIMITS


def _labels(table: Table) -> dict[str, str]:
    """Row labels by the address of the row's trainings."""
    labels: dict[str, str] = {}
    for cell in table.cells:
        for result in cell.results:
            owner = result.tracked_by()
            if owner:
                labels.setdefault(owner.address, " · ".join(part for part in (cell.row, cell.column) if part))
    return labels


def _own_departures(table: Table) -> tuple[tuple[str, tuple[Setting, ...]], ...]:
    """Departures of each training from the paper, without those that the table states for all rows."""
    trainings = [(training, _limits(cell)) for cell in table.cells if (training := _training(cell))]
    labels = _labels(table)
    labelled = []
    for training, limits in dict.fromkeys(trainings):
        settings = [(item.field, item.ours, item.paper) for item in all_departures(training.recipe, limits)]
        own = tuple(item for item in settings if item not in table.departures)
        labelled.append((labels[training.address], own))
    return tuple((label, own) for label, own in labelled if own)


def _curves(results: Sequence[tuple[PlanRow, Manifest]], store: Store, labels: Mapping[str, str]) -> Iterator[Curve]:
    for row, manifest in results:
        owner = row.node.stage.tracked_by()
        if not owner or all(file.path != CURVE for file in manifest.files):
            continue
        values: dict[str, list[tuple[int, float]]] = {}
        for point in read_curve(store.output(manifest)):
            for name, value in point.values.items():
                values.setdefault(name, []).append((point.step, value))
        curves = {name: tuple(points) for name, points in values.items()}
        yield Curve(row=labels.get(owner.address, owner.address), values=curves)


def _images(results: Sequence[tuple[PlanRow, Manifest]], store: Store) -> Iterator[Image]:
    """Figures of every stage that has any, without the pictures of detections."""
    for row, manifest in results:
        if not isinstance(row.node.stage, DrawDetections):
            yield from _drawn(row, manifest, store, title=row.address)


def pictures(results: Sequence[tuple[PlanRow, Manifest]], store: Store, table: Table) -> Iterator[Image]:
    """Pictures of the detections of each row, for the first seed."""
    labels = _labels(table)
    first = {training.address for cell in table.cells if (training := _training(cell))}
    for row, manifest in results:
        owner = row.node.stage.tracked_by()
        if isinstance(row.node.stage, DrawDetections) and (owner is None or owner.address in first):
            yield from _drawn(row, manifest, store, title=labels[owner.address] if owner else row.address)


def _errors(results: Sequence[tuple[PlanRow, Manifest]], store: Store) -> Iterator[Errors]:
    """The analyses of errors, where the experiment has any."""
    for row, manifest in results:
        if isinstance(row.node.stage, Analyze):
            yield Errors(row=row.address, document=store.output(manifest).read_json(ANALYSIS))


def _drawn(row: PlanRow, manifest: Manifest, store: Store, *, title: str) -> Iterator[Image]:
    """Figures of a stage; as SVG where both SVG and PNG exist."""
    files = {file.path for file in manifest.files}
    figures = [name for name in row.node.stage.artifacts() if name.endswith(FIGURES) and name in files]
    for name in dict.fromkeys(_svg_if_present(name, files) for name in figures):
        yield Image(stage=title, name=name, content=store.output(manifest).read_bytes(name))


def _svg_if_present(name: str, files: set[str]) -> str:
    svg = f"{name.rpartition('.')[0]}.svg"
    return svg if svg in files else name


def _data(results: Sequence[tuple[PlanRow, Manifest]], store: Store) -> list[tuple[str, tuple[str, ...]]]:
    """Sources, counts and digest of each set of shards."""
    sets = []
    for row, manifest in results:
        if isinstance(row.node.stage, Shard):
            counted = read_counts(store.output(manifest))
            sources = " + ".join(f"{source.name}/{source.split}" for source in row.node.stage.sources)
            counts = f"{counted.images:,} images, {counted.boxes:,} objects"
            sets.append(f"{row.address}: {sources}, {counts}, digest {manifest.digest[:16]}")
    return [("data", tuple(sets))] if sets else []


def _links(results: Sequence[tuple[PlanRow, Manifest]], runs: Mapping[str, RecordedRun]) -> Iterator[RunLink]:
    for row, manifest in results:
        if run := runs.get(manifest.key):
            yield RunLink(stage=row.address, run=run.run_id, url=run.url)


def _note(store: Store, runs: Mapping[str, RecordedRun]) -> str:
    local = any(run.url.startswith(LOCAL_PAGES) for run in runs.values())
    return f"The links work while `ssdpipe ui --store {store.folder.shown}` runs." if local else ""
