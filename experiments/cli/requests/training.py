"""Request to train and score one recipe.

Tested in tests/experiments/framework/test_validation.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from experiments.cli.requests.request import CpusPerWorkerOption, SetupRequest
from experiments.cli.shared.completion import complete_recipe

if TYPE_CHECKING:
    from experiments.framework.setups import Setup
    from pipeline.stage import Stage
    from stages.graphs import Evaluation
    from stages.placement import Placement


@dataclass(frozen=True, kw_only=True)
class TrainRequest(SetupRequest):
    """`train`: one recipe."""

    command: ClassVar[str] = "train"
    recipe: Annotated[
        str, typer.Argument(help="Name of a recipe, see `ssdpipe recipe list`.", autocompletion=complete_recipe)
    ] = "ssd300-voc0712"
    workers: Annotated[int, typer.Option(min=1, help="Number of CPU workers when no GPU is used.")] = 1
    min_gpus: Annotated[
        int | None,
        typer.Option(min=1, help="Start and continue on this many GPUs while fewer than --gpus fit; grow with nodes."),
    ] = None
    min_workers: Annotated[int | None, typer.Option(min=1, help="The same for --workers, on CPU.")] = None
    cpus_per_worker: CpusPerWorkerOption = None
    validation_split: Annotated[
        str, typer.Option(help="Also score the checkpoints kept by -s keep_every=N on this split of the data set.")
    ] = ""
    init: Annotated[
        str, typer.Option(metavar="imagenet|scratch|FILE", help="Initial weights; the recipe's by default.")
    ] = ""

    @property
    def name(self) -> str:
        return self.recipe

    def placement(self) -> Placement:
        from experiments.cli.shared.placing import place_one

        return place_one(
            gpus=self.gpus,
            cpu_workers=self.workers,
            min_gpus=self.min_gpus,
            min_workers=self.min_workers,
            cpus_per_worker=self.cpus_per_worker,
            in_process=self.in_process,
        )

    @property
    def least_gpus(self) -> int | None:
        return self.min_gpus

    def target(self, placement: Placement) -> Evaluation:
        return self._setup(placement).evaluation()

    def targets(self, placement: Placement) -> tuple[Stage, ...]:
        from experiments.framework.validation import validation_of
        from stages.graphs import pictured

        setup = self._setup(placement)
        evaluation = setup.evaluation()
        validation = (validation_of(setup, self.validation_split),) if self.validation_split else ()
        return evaluation, *validation, pictured(evaluation)

    def _setup(self, placement: Placement) -> Setup:
        from experiments.framework.loading import named_setup
        from experiments.framework.setups import starting_from

        setup = named_setup(self.recipe, adjust=self.adjusted, placement=placement)
        return starting_from(setup, self.init) if self.init else setup
