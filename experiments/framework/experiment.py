"""An experiment: a question of the paper and the trainings that answer it; each is one file in `experiments/`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from experiments.framework.claims.claim import At, Claim
from experiments.framework.presets import Preset, no_adjustment
from experiments.framework.runs import Run
from experiments.framework.setups import Setup
from pipeline.errors import PipelineError
from pipeline.stage import Stage
from pipeline.suggestion import suggestion
from stages.evaluation.protocol import Protocol
from stages.graphs import Evaluation, pictured
from stages.tables.content import Cell, Unit
from stages.tables.table import Table

PAPER_PREFIXES = ("Table", "Figure", "Section")
METRICS: dict[Protocol, str] = {"voc": "voc07/mAP", "ilsvrc": "ilsvrc/mAP", "coco": "coco/AP"}


Seeds = int | Mapping[At, int]


def no_figures(preset: Preset) -> tuple[Stage, ...]:  # noqa: ARG001 - the signature of `Experiment.figures`
    return ()


@dataclass(frozen=True, kw_only=True)
class Row:
    """One number of a table: our run's, the paper's, or both."""

    label: str
    run: Run | None = None
    """None for methods whose numbers are only quoted from the paper."""

    column: str = ""
    result: Callable[[Setup], Stage] | None = None
    """Builds, from the run's setup, the stage whose summary holds the number; by default the evaluation."""

    metric: str = ""
    """A name in the summary; if empty, the main metric of the run's protocol."""

    unit: Unit = "percent"

    published: float | None
    """As a fraction."""

    published_classes: tuple[tuple[str, float], ...] = ()
    """Published value of each class as a fraction, where the paper prints them."""


@dataclass(frozen=True, kw_only=True)
class Experiment:
    name: str
    question: str
    answers: str
    """The table, figure or section of the paper; any other text for an experiment that is not in the paper."""

    found: str = ""
    """The paper's finding."""

    expects: str
    differs: str = ""
    """How the experiment differs from the paper's, whatever the preset."""

    row_title: str
    column_title: str = ""
    rows: tuple[Row, ...]
    """The others are compared with the first."""

    adjust: Callable[[Setup], Setup] = no_adjustment
    """Changes every run's setup, such as its data; applied before the changes of the command line and of the run."""

    figures: Callable[[Preset], tuple[Stage, ...]] = no_figures
    """Stages besides the table: figures, submissions."""

    claims: tuple[Claim, ...] = ()
    """What `ssdpipe claims` judges; the paper's own are in `experiments/claims/`."""

    @property
    def title(self) -> str:
        """The question, after the table, figure or section of the paper that it answers, if any."""
        return f"{self.answers}: {self.question}" if self.answers.startswith(PAPER_PREFIXES) else self.question

    @property
    def summary(self) -> str:
        """One paragraph of Markdown: the question, the paper's finding, the expectation, the differences."""
        remarks = (("Paper", self.found), ("Expected", self.expects), ("Differs", self.differs))
        sentences = [f"{title}: {remark}." for title, remark in remarks if remark]
        return " ".join([f"**{self.title}**", *sentences])

    def targets(self, preset: Preset, *, seeds: Seeds = 1, column: str = "") -> tuple[Stage, ...]:
        """The table, then the figures, then pictures of what each scored detector gets right and wrong."""
        table = self.table(preset, seeds=seeds, column=column)
        scored = (result for cell in table.cells for result in cell.results if isinstance(result, Evaluation))
        pictures = (pictured(evaluation) for evaluation in dict.fromkeys(scored))
        return table, *self.figures(self._adjusted(preset)), *pictures

    def table(self, preset: Preset, *, seeds: Seeds = 1, column: str = "") -> Table:
        """The last stage of the experiment's graph; `column` restricts it to the cells of one column.

        `seeds` is the number of trainings of every row, or a number for each cell (one where it names none).
        """
        rows = [row for row in self.rows if column in ("", row.column)]
        if not rows:
            columns = sorted({row.column for row in self.rows})
            raise PipelineError(f"{self.name} has no column {column!r}; {suggestion(column, columns)}")
        preset = self._adjusted(preset)
        return Table(
            variant=self.name,
            title=self.title,
            preset=preset.name,
            row_title=self.row_title,
            column_title=self.column_title,
            cells=tuple(self._cell(row, preset, _seeds_of(row, seeds)) for row in rows),
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
        label = f"{row.label}, {self.column_title or 'column'} {row.column}" if row.column else row.label
        return row.result(setup) if row.result else setup.evaluation(table=self.answers, label=label)


def _seeds_of(row: Row, seeds: Seeds) -> int:
    return seeds if isinstance(seeds, int) else seeds.get(At(row.label, row.column), 1)


def _metric(rows: Sequence[Row], preset: Preset) -> str:
    """Main metric of the first run's protocol."""
    protocols = [preset.setup(row.run).protocol for row in rows if row.run]
    return METRICS[protocols[0] if protocols else "voc"]


def _shared_departures(rows: Sequence[Row], preset: Preset) -> tuple[tuple[str, str, str], ...]:
    """Departures from the paper's SSD300 on VOC that all rows share, in the order of the first row."""
    by_row = [
        [(item.field, item.ours, item.paper) for item in preset.setup(row.run).departures()] for row in rows if row.run
    ]
    return tuple(item for item in (by_row[0] if by_row else []) if all(item in others for others in by_row[1:]))
