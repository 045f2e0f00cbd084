"""Request of `plan`: an experiment or a recipe, with the options of `run` or of `train`.

Tested in tests/experiments/cli/requests/test_planning.py.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Annotated

import typer

from experiments.cli.requests.experiment import ExperimentRequest
from experiments.cli.requests.request import SetupRequest
from experiments.cli.requests.training import TrainRequest
from experiments.cli.shared.completion import complete_experiment, complete_recipe


def _complete(incomplete: str) -> list[str]:
    return [*complete_experiment(incomplete), *complete_recipe(incomplete)]


@dataclass(frozen=True, kw_only=True)
class PlanRequest(ExperimentRequest):
    """`plan`: what `run` or `train` would do with these options."""

    experiment: Annotated[
        str,
        typer.Argument(
            metavar="EXPERIMENT|RECIPE",
            help="Name (see `ssdpipe list`), table1 to table7, all, the path of your own file, or a recipe.",
            show_default=False,
            autocompletion=_complete,
        ),
    ] = ""
    workers: Annotated[int, typer.Option(min=1, help="As for `train`.")] = 1
    min_gpus: Annotated[int | None, typer.Option(min=1, help="As for `train`.")] = None
    min_workers: Annotated[int | None, typer.Option(min=1, help="As for `train`.")] = None
    validation_split: Annotated[str, typer.Option(help="As for `train`.")] = ""
    init: Annotated[str, typer.Option(metavar="imagenet|scratch|FILE", help="As for `train`.")] = ""

    def meant(self) -> SetupRequest:
        """The request of the command that is planned. Raises PipelineError for an option that it does not have."""
        from experiments.framework.names import RECIPES

        plain = PlanRequest(experiment=self.experiment)
        given = {item.name for item in fields(self) if getattr(self, item.name) != getattr(plain, item.name)}
        kind: type[TrainRequest | ExperimentRequest] = TrainRequest if self.experiment in RECIPES else ExperimentRequest
        taken = {item.name: getattr(self, item.name) for item in fields(kind) if item.name in given}
        if foreign := sorted(given - taken.keys()):
            raise _refusal(kind, self.experiment, foreign)
        name = "recipe" if kind is TrainRequest else "experiment"
        return kind(**{**taken, name: self.experiment})


def _refusal(kind: type[SetupRequest], name: str, foreign: list[str]) -> Exception:
    from pipeline.errors import PipelineError

    options = ", ".join(f"--{each.replace('_', '-')}" for each in foreign)
    verb, of = ("train", "a recipe") if kind is TrainRequest else ("run", "an experiment")
    return PipelineError(f"{name or 'no name'} is {of}, planned for `ssdpipe {verb}`, which has no {options}")
