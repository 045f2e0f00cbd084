"""Request for one or several experiments at a preset.

Tested in tests/experiments/cli/test_plan.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, get_args

import typer

from experiments.cli.requests.request import CpusPerWorkerOption, SetupRequest
from experiments.cli.requests.until_decided import UntilDecided
from experiments.cli.shared.completion import complete_experiment, complete_preset
from experiments.cli.shared.options import NOT_TYPED, one_of
from experiments.framework.runs import PresetName

if TYPE_CHECKING:
    from experiments.framework.experiment import Experiment, Seeds
    from experiments.framework.presets import Preset
    from pipeline.stage import Stage
    from stages.placement import Placement
    from stages.tables.table import Table


READING = (
    "Each training is a run; group by the parameter `variant` to average over seeds. The runs named after the "
    "experiment are invocations: they hold its table and report."
)


@dataclass(frozen=True, kw_only=True)
class ExperimentRequest(SetupRequest):
    """`run`, `plan`, `compare`, `report`, `why`, `sync`: an experiment at a preset."""

    command: ClassVar[str] = "run"
    experiment: Annotated[
        str,
        typer.Argument(
            help="Name (see `ssdpipe list`), table1 to table7, all, or the path of your own file.",
            show_default=False,
            autocompletion=complete_experiment,
        ),
    ] = ""
    preset: Annotated[
        PresetName,
        typer.Option(
            parser=one_of("preset", *get_args(PresetName)),
            metavar="|".join(get_args(PresetName)),
            autocompletion=complete_preset,
            help="Scale: the paper's schedule, a tenth of it, or a small detector on drawn images or photographs.",
        ),
    ] = "full"
    seeds: Annotated[int, typer.Option(min=1, help="Number of trainings per row, with seeds 0, 1 ...")] = 1
    column: Annotated[str, typer.Option(help="Restrict the table to one column, such as yes.")] = ""
    gpus_per_training: Annotated[int, typer.Option(min=1, help="GPUs of each training; no effect on CPU.")] = 1
    cpus_per_worker: CpusPerWorkerOption = None
    until_decided: UntilDecided | None = field(default=None, metadata=NOT_TYPED)
    """How far `run --until-decided` is; the number of seeds then differs between rows."""

    @property
    def name(self) -> str:
        from experiments.framework.loading import load_experiment, names_a_file

        if not names_a_file(self.experiment):
            return self.experiment
        return load_experiment(self.experiment).name.replace("/", "-")  # as its author wrote it, but one file name

    def note(self) -> str:
        """Summary of each experiment, and how to read its runs."""
        return "\n\n".join([*(member.load().summary for member in self.members()), READING])

    def to_json(self) -> dict[str, Any]:
        """The options, with the absolute path of a user's file, so that the request can be repeated from any folder."""
        from experiments.framework.loading import names_a_file

        path = str(Path(self.experiment).expanduser().resolve())
        return super().to_json() | ({"experiment": path} if names_a_file(self.experiment) else {})

    def placement(self) -> Placement:
        from experiments.cli.shared.placing import place

        return place(
            gpus=self.gpus,
            gpus_per_training=self.gpus_per_training,
            cpus_per_worker=self.cpus_per_worker,
            in_process=self.in_process,
        )

    def target(self, placement: Placement) -> Table:
        first = self.members()[0]
        return first.load().table(self._preset(placement), seeds=first.seeds_of_rows(), column=self.column)

    def targets(self, placement: Placement) -> tuple[Stage, ...]:
        """The table of each member, followed by its figures."""
        preset = self._preset(placement)
        stages = (
            stage
            for member in self.members()
            for stage in member.load().targets(preset, seeds=member.seeds_of_rows(), column=self.column)
        )
        return tuple(dict.fromkeys(stages))

    def seeds_of_rows(self) -> Seeds:
        """The number of seeds of every row, or of each that has claims; the others then have `seeds`."""
        from experiments.framework.claims.claim import At

        if self.until_decided is None:
            return self.seeds
        others = {At(row.label, row.column): self.seeds for row in self.load().rows}
        return others | self.until_decided.of(self.experiment)

    def members(self) -> tuple[ExperimentRequest, ...]:
        """One request for each experiment behind the name. Raises PipelineError when no experiment is named."""
        from experiments.framework.loading import members
        from pipeline.errors import PipelineError

        if not self.experiment:
            raise PipelineError(
                "no experiment is named: `ssdpipe list` shows the names; table1 to table7 and all stand for several, "
                "and ./my_ablation.py for your own file"
            )
        return tuple(replace(self, experiment=name) for name in members(self.experiment))

    def load(self) -> Experiment:
        """The experiment. Raises PipelineError when it does not exist, or --data would merge its training sets."""
        from experiments.framework.loading import load_experiment
        from pipeline.errors import PipelineError

        experiment = load_experiment(self.experiment)
        mixes = sorted({row.run.data for row in experiment.rows if row.run})
        if self.data and len(mixes) > 1:
            raise PipelineError(
                f"{experiment.name} compares training sets ({', '.join(mixes)}): --data would replace them all by one"
            )
        return experiment

    def _preset(self, placement: Placement) -> Preset:
        from experiments.framework.presets import Preset

        return Preset(name=self.preset, adjust=self.adjusted, placement=placement)
