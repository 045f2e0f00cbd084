"""A graph that can be asked for: what all requests share, and the options that change a setup.

Tested in tests/experiments/cli/test_plan.py.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from experiments.cli.shared.options import LayoutOption

if TYPE_CHECKING:
    from experiments.framework.setups import Setup
    from pipeline.stage import Stage
    from stages.placement import Placement

GpusOption = Annotated[
    int | None, typer.Option(min=0, help="GPUs for all of it, 0: CPU; those of this machine by default.")
]
StrictOption = Annotated[bool, typer.Option("--strict", help="Refuse a data set with a defect.")]
AllowOption = Annotated[
    bool, typer.Option("--allow-trained-images", help="Score images that are trained on, too: no test of a detector.")
]


@dataclass(frozen=True, kw_only=True)
class Request(ABC):
    """A graph that can be asked for."""

    command: ClassVar[str]
    gpus: GpusOption = None

    @property
    @abstractmethod
    def name(self) -> str:
        """Name of the MLflow experiment."""

    def note(self) -> str:
        """Markdown for the page of that experiment."""
        return ""

    @abstractmethod
    def placement(self) -> Placement:
        """Where its stages run. PipelineError when that is unknown."""

    @abstractmethod
    def target(self, placement: Placement) -> Stage:
        """The stage whose result is asked for. PipelineError for anything unknown or missing."""

    def targets(self, placement: Placement) -> tuple[Stage, ...]:
        """That stage first, and what is asked for beside it."""
        return (self.target(placement),)

    def to_json(self) -> dict[str, Any]:
        return {"command": self.command, **asdict(self)}


@dataclass(frozen=True, kw_only=True)
class OnSetup(Request):
    """Options that change a setup."""

    data: Annotated[
        str, typer.Option(metavar="DIR", help="Data set of your own, in any layout, instead of that of the recipe.")
    ] = ""
    layout: LayoutOption = ""
    train_split: Annotated[
        str, typer.Option(help="Split of --data to train on; trainval beside test, train beside val.")
    ] = ""
    test_split: Annotated[str, typer.Option(help="Split of --data to test on; test or val by default.")] = ""
    strict: StrictOption = False
    allow_trained_images: AllowOption = False
    settings: Annotated[
        list[str] | None, typer.Option("-s", "--set", metavar="FIELD=VALUE", help="Change a setting of the training.")
    ] = None

    def adjusted(self, setup: Setup) -> Setup:
        """The setup with these options applied."""
        from experiments.framework.setups import on_data
        from pipeline.errors import PipelineError
        from pipeline.overrides import override

        if self.data:
            setup = on_data(
                setup, self.data, train_split=self.train_split, test_split=self.test_split, layout=self.layout
            )
        elif self.train_split or self.test_split or self.layout:
            raise PipelineError(
                "--train-split, --test-split and --layout say what to read of a data set: name it with --data DIR"
            )
        return replace(
            setup,
            strict=self.strict,
            allow_trained_images=self.allow_trained_images,
            recipe=override(setup.recipe, self.settings or (), root="recipe"),
        )
