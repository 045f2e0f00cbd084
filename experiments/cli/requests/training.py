"""One recipe, trained and scored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from experiments.cli.requests.request import OnSetup

if TYPE_CHECKING:
    from experiments.framework.setups import Setup
    from pipeline.stage import Stage
    from stages.graphs import Evaluation
    from stages.placement import Placement


@dataclass(frozen=True, kw_only=True)
class TrainRequest(OnSetup):
    """`train`: one recipe."""

    command: ClassVar[str] = "train"
    recipe: Annotated[str, typer.Argument(help="Name, see `ssdpipe recipe list`.")] = "ssd300-voc0712"
    workers: Annotated[int, typer.Option(min=1, help="CPU workers, where no GPU is used.")] = 1
    validation_split: Annotated[
        str, typer.Option(help="Score the checkpoints kept by -s keep_every=N on this split of the data set.")
    ] = ""
    init: Annotated[
        str, typer.Option(metavar="imagenet|scratch|FILE", help="First weights; the recipe's by default.")
    ] = ""

    @property
    def name(self) -> str:
        return self.recipe

    def placement(self) -> Placement:
        from experiments.cli.shared.placing import place_one

        return place_one(gpus=self.gpus, cpu_workers=self.workers)

    def target(self, placement: Placement) -> Evaluation:
        return self._evaluated(self._setup(placement), placement)

    def targets(self, placement: Placement) -> tuple[Stage, ...]:
        from experiments.framework.validation import validation_of

        if not self.validation_split:
            return (self.target(placement),)
        setup = self._setup(placement)
        evaluation = self._evaluated(setup, placement)
        return evaluation, validation_of(evaluation, setup, split=self.validation_split, placement=placement)

    def _setup(self, placement: Placement) -> Setup:
        from experiments.framework.recipes import named_recipe
        from experiments.framework.scale import Scale
        from experiments.framework.setups import starting_from

        recipe = named_recipe(self.recipe)
        setup = Scale(preset=recipe.preset, adjust=self.adjusted, placement=placement).setup(recipe.run)
        return starting_from(setup, self.init) if self.init else setup

    def _evaluated(self, setup: Setup, placement: Placement) -> Evaluation:
        seed, data = str(setup.recipe.seed), setup.train_shards().variant
        tags = (("variant", self.recipe), ("seed", seed), ("data", data))
        training = setup.training(variant=self.recipe, tags=tags, placement=placement)
        return setup.evaluation(training, placement=placement)
