"""An experiment: a question of the paper, and the trainings that answer it. One file of this folder for each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import replace as replaced
from importlib import import_module
from pathlib import Path

from experiments.setups import Setup
from pipeline.errors import PipelineError
from ssd_core.departures import departures
from ssd_core.settings import TrainingSettings
from stages.graphs import Placement, Protocol, evaluated
from stages.suggestion import suggestion
from stages.table import Cell, Table

METRICS: dict[Protocol, str] = {"voc": "voc07/mAP", "ilsvrc": "ilsvrc/mAP", "coco": "coco/AP"}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One cell of the paper's table: a training that differs from the others in one thing."""

    variant: str
    """Names the stages: `train/<variant>/seed0`."""

    label: str
    column: str = ""
    published: float | None
    """As a fraction."""

    change: Callable[[TrainingSettings], TrainingSettings]


@dataclass(frozen=True, kw_only=True)
class Experiment:
    name: str
    question: str
    answers: str
    """The table or figure of the paper."""

    expects: str
    row_title: str
    column_title: str = ""
    rows: tuple[Row, ...]
    """The first is what the others are compared with."""

    def table(
        self, setup: Setup, *, preset: str, seeds: int = 1, column: str = "", placement: Placement | None = None
    ) -> Table:
        """The graph of the experiment, as its last stage; `column` leaves out the cells of other columns."""
        rows = [row for row in self.rows if column in ("", row.column)]
        if not rows:
            there = sorted({row.column for row in self.rows})
            raise PipelineError(f"{self.name} has no column {column!r}; {suggestion(column, there)}")
        place = placement or Placement()
        return Table(
            variant=self.name,
            title=f"{self.answers}: {self.question}",
            preset=preset,
            row_title=self.row_title,
            column_title=self.column_title,
            cells=tuple(self._cell(row, setup, preset, seeds, place) for row in rows),
            metric=METRICS[setup.protocol],
            departures=tuple((item.field, item.ours, item.paper) for item in departures(setup.settings)),
        )

    def _cell(self, row: Row, setup: Setup, preset: str, seeds: int, placement: Placement) -> Cell:
        settings = row.change(setup.settings)
        results = tuple(
            evaluated(
                setup.recipe(replaced(settings, seed=settings.seed + seed)),
                test=setup.test_shards(),
                variant=f"{row.variant}/seed{seed}",
                tags=(("variant", row.variant), ("seed", str(seed)), ("preset", preset), ("table", self.answers)),
                placement=placement,
                protocol=setup.protocol,
            )
            for seed in range(seeds)
        )
        return Cell(
            row=row.label,
            column=row.column,
            boxes=settings.spec.box_count,
            published=row.published,
            results=results,
        )


def experiment_names() -> list[str]:
    """Names of the experiments of this folder."""
    files = Path(__file__).parent.glob("*.py")
    return sorted(path.stem.replace("_", "-") for path in files if "\nexperiment = " in path.read_text())


def load_experiment(name: str) -> Experiment:
    """The experiment of that name. PipelineError with a near miss when there is none."""
    if name not in (names := experiment_names()):
        raise PipelineError(f"there is no experiment {name!r}; {suggestion(name, names)}")
    found = import_module(f"experiments.{name.replace('-', '_')}").experiment
    assert isinstance(found, Experiment)
    return found
