"""The named recipes: the runs of the paper in full, and small ones for trying things out."""

from __future__ import annotations

from dataclasses import dataclass

from experiments.framework.runs import RUNS, Run
from experiments.framework.scale import Scale
from experiments.framework.setups import Setup
from pipeline.errors import PipelineError
from pipeline.suggestion import suggestion


@dataclass(frozen=True, kw_only=True)
class NamedRecipe:
    """A run at a preset."""

    run: Run
    preset: str = "full"

    def setup(self) -> Setup:
        return Scale(preset=self.preset).setup(self.run)


_PAPER = RUNS["ssd300-voc0712"]

RECIPES = {name: NamedRecipe(run=run) for name, run in RUNS.items()} | {
    "ssd300-short-voc0712": NamedRecipe(run=_PAPER, preset="short"),
    "ssd-tiny": NamedRecipe(run=_PAPER, preset="tiny"),
    "ssd200-narrow": NamedRecipe(run=_PAPER, preset="narrow"),
}


def named_recipe(name: str) -> NamedRecipe:
    """The recipe of that name. PipelineError with a near miss when there is none."""
    if name not in RECIPES:
        raise PipelineError(f"there is no recipe {name!r}; {suggestion(name, RECIPES)}")
    return RECIPES[name]
