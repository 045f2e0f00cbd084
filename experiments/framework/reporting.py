"""The report of an experiment, from what the store holds of it; what has no result is shown as not run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from experiments.framework.comparison import Held
from pipeline.mlflow_tracking.recorded_runs import LOCAL_PAGES, RecordedRun
from pipeline.planning.plan import PlanRow
from pipeline.store.record import CURVE, read_curve
from pipeline.store.store import Manifest, Store
from ssd_core.spec.departures import departures
from stages.reporting.conditions import conditions
from stages.reporting.content import Curve, Image, Report, RunLink, Setting
from stages.shards.shard import Shard
from stages.tables.content import Cell
from stages.tables.table import Table
from stages.training.train import Train

if TYPE_CHECKING:
    from experiments.framework.experiment import Experiment

FIGURES = (".png", ".svg")


def gather(
    experiment: Experiment, held: Held, runs: Mapping[str, RecordedRun], *, warnings: tuple[str, ...] = ()
) -> Report:
    """All that the page shows; `runs` are those in MLflow, by key."""
    made = held.made
    labels = _labels(held.table)
    return Report(
        name=experiment.name,
        heading=experiment.answers,
        question=experiment.question,
        remarks=(("Paper", experiment.found), ("Expected", experiment.expects), ("Differs", experiment.differs)),
        warnings=(*warnings, *([held.note] if held.note else [])),
        table=held.table,
        lines=tuple(held.lines()),
        departures=_own_departures(held.table),
        curves=tuple(_curves(made, held.store, labels)),
        images=tuple(_images(made, held.store)),
        conditions=(*_data(made, held.store), *conditions([manifest for _, manifest in made])),
        runs=tuple(_links(made, runs)),
        runs_note=_note(held.store, runs),
        digest=held.digest,
        waiting=tuple(row.address for row in held.rows if not row.manifest and not isinstance(row.node.stage, Table)),
    )


def _training(cell: Cell) -> Train | None:
    """The training of the first seed."""
    owner = cell.results[0].tracked_by() if cell.results else None
    return owner if isinstance(owner, Train) else None


def _labels(table: Table) -> dict[str, str]:
    """Rows of the table by the address of their trainings."""
    labels: dict[str, str] = {}
    for cell in table.cells:
        for result in cell.results:
            owner = result.tracked_by()
            if owner:
                labels.setdefault(owner.address, " · ".join(part for part in (cell.row, cell.column) if part))
    return labels


def _own_departures(table: Table) -> tuple[tuple[str, tuple[Setting, ...]], ...]:
    """Settings of each training that depart from the paper's, without those that the table states for all rows."""
    trainings = [training for cell in table.cells if (training := _training(cell))]
    labels = _labels(table)
    found = []
    for training in dict.fromkeys(trainings):
        all_of_them = [(item.field, item.ours, item.paper) for item in departures(training.recipe)]
        own = tuple(item for item in all_of_them if item not in table.departures)
        found.append((labels[training.address], own))
    return tuple((label, own) for label, own in found if own)


def _curves(made: Sequence[tuple[PlanRow, Manifest]], store: Store, labels: Mapping[str, str]) -> Iterator[Curve]:
    for row, manifest in made:
        owner = row.node.stage.tracked_by()
        if not owner or all(file.path != CURVE for file in manifest.files):
            continue
        values: dict[str, list[tuple[int, float]]] = {}
        for point in read_curve(store.output(manifest)):
            for name, value in point.values.items():
                values.setdefault(name, []).append((point.step, value))
        curves = {name: tuple(points) for name, points in values.items()}
        yield Curve(row=labels.get(owner.address, owner.address), values=curves)


def _images(made: Sequence[tuple[PlanRow, Manifest]], store: Store) -> Iterator[Image]:
    """Figures of every stage that has some; as SVG where there is both."""
    for row, manifest in made:
        there = {file.path for file in manifest.files}
        shown = [name for name in row.node.stage.artifacts() if name.endswith(FIGURES) and name in there]
        chosen = dict.fromkeys(_sharper(name, there) for name in shown)
        for name in chosen:
            yield Image(stage=row.address, name=name, content=store.output(manifest).read_bytes(name))


def _sharper(name: str, there: set[str]) -> str:
    drawn = f"{name.rpartition('.')[0]}.svg"
    return drawn if drawn in there else name


def _data(made: Sequence[tuple[PlanRow, Manifest]], store: Store) -> list[tuple[str, tuple[str, ...]]]:
    """Images and digest of each set of shards."""
    sets = []
    for row, manifest in made:
        if isinstance(row.node.stage, Shard):
            content = store.output(manifest).read_json("shards.json")
            sources = " + ".join(f"{source.name}/{source.split}" for source in row.node.stage.sources)
            counts = f"{content['images']:,} images, {content['boxes']:,} objects"
            sets.append(f"{row.address}: {sources}, {counts}, digest {manifest.digest[:16]}")
    return [("data", tuple(sets))] if sets else []


def _links(made: Sequence[tuple[PlanRow, Manifest]], runs: Mapping[str, RecordedRun]) -> Iterator[RunLink]:
    for row, manifest in made:
        if found := runs.get(manifest.key):
            yield RunLink(stage=row.address, run=found.run_id, url=found.url)


def _note(store: Store, runs: Mapping[str, RecordedRun]) -> str:
    local = any(run.url.startswith(LOCAL_PAGES) for run in runs.values())
    return f"The links work while `ssdpipe ui --store {store.folder.uri}` runs." if local else ""
