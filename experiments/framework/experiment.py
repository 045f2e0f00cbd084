"""An experiment: a question of the paper, and the trainings that answer it. One file of this folder for each."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

from experiments.framework.runs import Run
from experiments.framework.scale import Scale, as_it_is
from experiments.framework.setups import Setup
from pipeline.errors import PipelineError
from pipeline.planning.own_files import import_file
from pipeline.stage import Stage
from pipeline.suggestion import suggestion
from ssd_core.spec.departures import departures
from stages.evaluation.protocol import Protocol
from stages.tables.table import Cell, Table, Unit

METRICS: dict[Protocol, str] = {"voc": "voc07/mAP", "ilsvrc": "ilsvrc/mAP", "coco": "coco/AP"}


def no_figures(scale: Scale) -> tuple[Stage, ...]:  # noqa: ARG001 - as all figures are asked for
    return ()


@dataclass(frozen=True, kw_only=True)
class Row:
    """One number of a table: of a run of ours, of the paper, or of both."""

    label: str
    run: Run | None = None
    """None for what the paper quotes."""

    column: str = ""
    result: Callable[[Scale, int], Stage] | None = None
    """Stage whose summary holds the number, for a seed; the evaluation of the run without it."""

    metric: str = ""
    """A name in the summary; that of the run's protocol when empty."""

    unit: Unit = "percent"

    published: float | None
    """As a fraction."""

    published_classes: tuple[tuple[str, float], ...] = ()
    """Of single classes, where they are printed."""


@dataclass(frozen=True, kw_only=True)
class Experiment:
    name: str
    question: str
    answers: str
    """The table or figure of the paper."""

    found: str = ""
    """What the paper found."""

    expects: str
    differs: str = ""
    """How the experiment is not the paper's, whatever the preset."""

    row_title: str
    column_title: str = ""
    rows: tuple[Row, ...]
    """The first is what the others are compared with."""

    adjust: Callable[[Setup], Setup] = as_it_is
    """Puts every run on other data, for instance; before what the command line changes, and before a run's change."""

    figures: Callable[[Scale], tuple[Stage, ...]] = no_figures
    """Stages beside the table: drawings, submissions."""

    def targets(self, scale: Scale, *, seeds: int = 1, column: str = "") -> tuple[Stage, ...]:
        """The table and what belongs to it."""
        return self.table(scale, seeds=seeds, column=column), *self.figures(self._adjusted(scale))

    def table(self, scale: Scale, *, seeds: int = 1, column: str = "") -> Table:
        """The graph of the experiment, as its last stage; `column` leaves out the cells of other columns."""
        rows = [row for row in self.rows if column in ("", row.column)]
        if not rows:
            there = sorted({row.column for row in self.rows})
            raise PipelineError(f"{self.name} has no column {column!r}; {suggestion(column, there)}")
        scale = self._adjusted(scale)
        return Table(
            variant=self.name,
            title=f"{self.answers}: {self.question}",
            preset=scale.preset,
            row_title=self.row_title,
            column_title=self.column_title,
            cells=tuple(self._cell(row, scale, seeds) for row in rows),
            metric=_metric(rows, scale),
            departures=_shared_departures(rows, scale),
        )

    def _adjusted(self, scale: Scale) -> Scale:
        return replace(scale, adjust=lambda setup: scale.adjust(self.adjust(setup)))

    def _cell(self, row: Row, scale: Scale, seeds: int) -> Cell:
        results: tuple[Stage, ...] = ()
        boxes = 0
        if row.run:
            setup = scale.setup(row.run)
            boxes = setup.recipe.spec.box_count
            if setup.test:
                results = tuple(self._result(row, scale, seed) for seed in range(seeds))
        return Cell(
            row=row.label,
            column=row.column,
            metric=row.metric,
            unit=row.unit,
            boxes=boxes,
            published=row.published,
            published_classes=row.published_classes,
            results=results,
        )

    def _result(self, row: Row, scale: Scale, seed: int) -> Stage:
        assert row.run is not None, "a row of ours"
        return row.result(scale, seed) if row.result else scale.evaluation(row.run, seed, table=self.answers)


def _metric(rows: Sequence[Row], scale: Scale) -> str:
    """That of the first run that is scored here."""
    protocols = [scale.setup(row.run).protocol for row in rows if row.run]
    return METRICS[protocols[0] if protocols else "voc"]


def _shared_departures(rows: Sequence[Row], scale: Scale) -> tuple[tuple[str, str, str], ...]:
    """What all rows have and the paper's SSD300 on VOC has not, in the order of the first row."""
    found = [
        [(item.field, item.ours, item.paper) for item in departures(scale.setup(row.run).recipe)]
        for row in rows
        if row.run
    ]
    return tuple(item for item in (found[0] if found else []) if all(item in others for others in found[1:]))


def experiment_names() -> list[str]:
    """Names of the experiments of this folder."""
    files = Path(__file__).parents[1].glob("*.py")
    return sorted(path.stem.replace("_", "-") for path in files if _holds_experiment(path))


def _holds_experiment(path: Path) -> bool:
    assigned = (node.targets[0] for node in ast.parse(path.read_text()).body if isinstance(node, ast.Assign))
    return any(isinstance(target, ast.Name) and target.id == "experiment" for target in assigned)


def load_experiment(name: str) -> Experiment:
    """The experiment of that name, or of a user's file. PipelineError with a near miss when there is none."""
    if names_a_file(name):
        return _in_file(name)
    if name not in (names := experiment_names()):
        raise PipelineError(f"there is no experiment {name!r}; {suggestion(name, names)}")
    found = import_module(f"experiments.{name.replace('-', '_')}").experiment
    assert isinstance(found, Experiment)
    return found


def names_a_file(name: str) -> bool:
    """Whether an experiment is asked for by the path of its file, such as ./my_ablation.py."""
    return name.endswith(".py")


def _in_file(path: str) -> Experiment:
    found = getattr(import_file(path), "experiment", None)
    if not isinstance(found, Experiment):
        raise PipelineError(
            f"{path} has no `experiment = Experiment(...)`; `ssdpipe new experiment NAME` writes a file that has"
        )
    return found
