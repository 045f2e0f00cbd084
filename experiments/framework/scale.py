"""At which scale runs are made real: the preset, what the user changes, and where stages run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from experiments.framework.presets import preset
from experiments.framework.runs import Run
from experiments.framework.setups import Setup, initial_for
from pipeline.errors import PipelineError
from pipeline.stage import Stage
from stages.graphs import Evaluation
from stages.placement import Placement
from stages.training.train import Train
from stages.training.transfer import Transfer


def as_it_is(setup: Setup) -> Setup:
    return setup


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Equal runs at equal scales are one training, whichever experiment asks for them."""

    preset: str = "full"
    adjust: Callable[[Setup], Setup] = as_it_is
    """Applied to the setup of every run, before the run's own change."""

    placement: Placement = field(default_factory=Placement)

    def setup(self, run: Run, seed: int = 0) -> Setup:
        """All that fixes the training of a run; `seed` is added to that of the settings."""
        setup = self.adjust(preset(self.preset)(run))
        recipe = run.change(setup.recipe)
        initial = initial_for(recipe.spec, setup.initial)
        if run.after_coco:
            initial = self._after(run.after_coco, setup, seed)
        return replace(setup, recipe=replace(recipe, seed=recipe.seed + seed), initial=initial)

    def training(self, run: Run, seed: int = 0, *, table: str = "") -> Train:
        setup = self.setup(run, seed)
        tags = {
            "variant": run.name,
            "seed": str(seed),
            "preset": self.preset,
            "data": setup.train_shards().variant,
            "table": table,
        }
        return setup.training(variant=f"{run.name}/seed{seed}", tags=tuple(tags.items()), placement=self.placement)

    def evaluation(self, run: Run, seed: int = 0, *, table: str = "") -> Evaluation:
        """PipelineError for a run whose test images have no public annotations."""
        setup = self.setup(run, seed)
        if not setup.test:
            raise PipelineError(f"{run.title} is scored by a server: its test images have no public annotations")
        return setup.evaluation(self.training(run, seed, table=table), placement=self.placement)

    def _after(self, parent: Run, setup: Setup, seed: int) -> Stage:
        return Transfer(
            weights=self.training(parent, seed),
            classes=setup.recipe.spec.classes,
            names=setup.from_coco,
            variant=f"{parent.name}/seed{seed}",
        )
