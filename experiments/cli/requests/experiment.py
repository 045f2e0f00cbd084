"""An experiment, or several, at some scale.

Tested in tests/experiments/cli/test_plan.py.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from experiments.cli.requests.request import OnSetup
from experiments.framework.runs import PresetName

if TYPE_CHECKING:
    from experiments.framework.experiment import Experiment
    from experiments.framework.presets import Preset
    from pipeline.stage import Stage
    from stages.placement import Placement
    from stages.tables.table import Table


READING = (
    "Each training is a run; group by the parameter `variant` for the mean over seeds. The runs named after the "
    "experiment are invocations: they hold its table and report."
)


@dataclass(frozen=True, kw_only=True)
class ExperimentRequest(OnSetup):
    """`run`, `plan`, `compare`, `why`: an experiment at some scale."""

    command: ClassVar[str] = "run"
    experiment: Annotated[
        str,
        typer.Argument(
            help="Name (see `ssdpipe list`), table1 to table7, all, or a file of your own.", show_default=False
        ),
    ] = ""
    preset: Annotated[PresetName, typer.Option(help="Scale of the experiment.")] = "full"
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of each row.")] = 1
    column: Annotated[str, typer.Option(help="Only the rows of one column of the table, such as yes.")] = ""
    gpus_per_training: Annotated[int, typer.Option(min=1, help="Workers of one training, when there are GPUs.")] = 1

    @property
    def name(self) -> str:
        return Path(self.experiment).stem  # of a user's file

    def note(self) -> str:
        """What each experiment asks, and how its runs are read."""
        return "\n\n".join([*(member.found().summary for member in self.members()), READING])

    def to_json(self) -> dict[str, Any]:
        """With the whole path of a user's file, so that the command can be given again from elsewhere."""
        from experiments.framework.loading import names_a_file

        path = str(Path(self.experiment).expanduser().resolve())
        return super().to_json() | ({"experiment": path} if names_a_file(self.experiment) else {})

    def placement(self) -> Placement:
        from experiments.cli.shared.placing import place

        return place(gpus=self.gpus, gpus_per_training=self.gpus_per_training)

    def target(self, placement: Placement) -> Table:
        return self.members()[0].found().table(self._preset(placement), seeds=self.seeds, column=self.column)

    def targets(self, placement: Placement) -> tuple[Stage, ...]:
        """The tables of all members, each with the figures after it."""
        found = [member.found() for member in self.members()]
        preset = self._preset(placement)
        stages = (stage for each in found for stage in each.targets(preset, seeds=self.seeds, column=self.column))
        return tuple(dict.fromkeys(stages))

    def members(self) -> tuple[ExperimentRequest, ...]:
        """One request for each experiment that the name means. PipelineError when none is named."""
        from experiments.framework.loading import members
        from pipeline.errors import PipelineError

        if not self.experiment:
            raise PipelineError(
                "no experiment is named: `ssdpipe list` shows their names, table1 to table7 and all mean several, and "
                "./my_ablation.py one of your own"
            )
        return tuple(replace(self, experiment=name) for name in members(self.experiment))

    def found(self) -> Experiment:
        """PipelineError when there is no such experiment, or it cannot be put on one data set of the user's."""
        from experiments.framework.loading import load_experiment
        from pipeline.errors import PipelineError

        experiment = load_experiment(self.experiment)
        mixes = sorted({row.run.data for row in experiment.rows if row.run})
        if self.data and len(mixes) > 1:
            raise PipelineError(
                f"{experiment.name} compares training sets ({', '.join(mixes)}): --data would put all on one"
            )
        return experiment

    def _preset(self, placement: Placement) -> Preset:
        from experiments.framework.presets import Preset

        return Preset(name=self.preset, adjust=self.adjusted, placement=placement)
