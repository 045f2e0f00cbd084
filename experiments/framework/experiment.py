"""An experiment: a question of the paper, and the trainings that answer it; one file of `experiments/` for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from experiments.framework.presets import Preset, as_it_is
from experiments.framework.runs import Run
from experiments.framework.setups import Setup
from pipeline.errors import PipelineError
from pipeline.stage import Stage
from pipeline.suggestion import suggestion
from ssd_core.spec.departures import departures
from stages.evaluation.protocol import Protocol
from stages.tables.content import Cell, Unit
from stages.tables.table import Table

METRICS: dict[Protocol, str] = {"voc": "voc07/mAP", "ilsvrc": "ilsvrc/mAP", "coco": "coco/AP"}


def no_figures(preset: Preset) -> tuple[Stage, ...]:  # noqa: ARG001 - as all figures are asked for
    return ()


@dataclass(frozen=True, kw_only=True)
class Row:
    """One number of a table: of a run of ours, of the paper, or of both."""

    label: str
    run: Run | None = None
    """None for what the paper quotes."""

    column: str = ""
    result: Callable[[Setup], Stage] | None = None
    """From the run's setup, the stage whose summary holds the number; the evaluation without it."""

    metric: str = ""
    """A name in the summary; that of the run's protocol when empty."""

    unit: Unit = "percent"

    published: float | None
    """As a fraction."""

    published_classes: tuple[tuple[str, float], ...] = ()
    """Fractions of single classes, where they are printed."""


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

    figures: Callable[[Preset], tuple[Stage, ...]] = no_figures
    """Stages beside the table: drawings, submissions."""

    @property
    def summary(self) -> str:
        """One paragraph of Markdown: the question, what the paper found, what is expected."""
        remarks = (("Paper", self.found), ("Expected", self.expects), ("Differs", self.differs))
        said = [f"{title}: {remark}." for title, remark in remarks if remark]
        return " ".join([f"**{self.answers}: {self.question}**", *said])

    def targets(self, preset: Preset, *, seeds: int = 1, column: str = "") -> tuple[Stage, ...]:
        """The table and what belongs to it."""
        return self.table(preset, seeds=seeds, column=column), *self.figures(self._adjusted(preset))

    def table(self, preset: Preset, *, seeds: int = 1, column: str = "") -> Table:
        """The graph of the experiment, as its last stage; `column` leaves out the cells of other columns."""
        rows = [row for row in self.rows if column in ("", row.column)]
        if not rows:
            there = sorted({row.column for row in self.rows})
            raise PipelineError(f"{self.name} has no column {column!r}; {suggestion(column, there)}")
        preset = self._adjusted(preset)
        return Table(
            variant=self.name,
            title=f"{self.answers}: {self.question}",
            preset=preset.name,
            row_title=self.row_title,
            column_title=self.column_title,
            cells=tuple(self._cell(row, preset, seeds) for row in rows),
            metric=_metric(rows, preset),
            departures=_shared_departures(rows, preset),
        )

    def _adjusted(self, preset: Preset) -> Preset:
        return replace(preset, adjust=lambda setup: preset.adjust(self.adjust(setup)))

    def _cell(self, row: Row, preset: Preset, seeds: int) -> Cell:
        setups = [preset.setup(row.run, seed) for seed in range(seeds)] if row.run else []
        return Cell(
            row=row.label,
            column=row.column,
            metric=row.metric,
            unit=row.unit,
            boxes=setups[0].recipe.spec.box_count if setups else 0,
            published=row.published,
            published_classes=row.published_classes,
            results=tuple(self._result(row, setup) for setup in setups if setup.test),
        )

    def _result(self, row: Row, setup: Setup) -> Stage:
        return row.result(setup) if row.result else setup.evaluation(table=self.answers)


def _metric(rows: Sequence[Row], preset: Preset) -> str:
    """The metric of the first run that is scored here."""
    protocols = [preset.setup(row.run).protocol for row in rows if row.run]
    return METRICS[protocols[0] if protocols else "voc"]


def _shared_departures(rows: Sequence[Row], preset: Preset) -> tuple[tuple[str, str, str], ...]:
    """What all rows have and the paper's SSD300 on VOC has not, in the order of the first row."""
    found = [
        [(item.field, item.ours, item.paper) for item in departures(preset.setup(row.run).recipe)]
        for row in rows
        if row.run
    ]
    return tuple(item for item in (found[0] if found else []) if all(item in others for others in found[1:]))
