"""A request for a graph: the base of all requests, and the options that change a setup.

Tested in tests/experiments/cli/test_plan.py.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from experiments.cli.shared.options import LayoutOption
from ssd_core.detection.limits import LIMITS

if TYPE_CHECKING:
    from experiments.framework.setups import Setup
    from pipeline.stage import Stage
    from stages.placement import Placement

GpusOption = Annotated[
    int | None, typer.Option(min=0, help="Total number of GPUs, 0 for CPU only; by default all GPUs of this machine.")
]
CpusPerWorkerOption = Annotated[
    int | None, typer.Option(min=1, help="CPUs of each worker of a training; by default up to 8 per GPU, or a share.")
]
InProcessOption = Annotated[
    bool,
    typer.Option(
        "--in-process",
        help="Train on one CPU in the process of the stage, without Ray Train: sooner, with equal results. No effect "
        "with GPUs.",
    ),
]
StrictOption = Annotated[bool, typer.Option("--strict", help="Refuse a data set that has a defect.")]
HoldoutOption = Annotated[
    float,
    typer.Option(
        min=0.0, max=1.0, metavar="SHARE", help="Share of the images of one split to test on, such as 0.2; by content."
    ),
]
SeedOption = Annotated[int, typer.Option(min=0, help="Seed of --holdout. (That of a training is -s seed=N.)")]
AllowOption = Annotated[
    bool,
    typer.Option(
        "--allow-trained-images", help="Also score images that were trained on, which is no valid test of a detector."
    ),
]


@dataclass(frozen=True, kw_only=True)
class Request(ABC):
    """A request for a graph of stages."""

    command: ClassVar[str]
    gpus: GpusOption = None

    @property
    @abstractmethod
    def name(self) -> str:
        """Name of the MLflow experiment."""

    @property
    def least_gpus(self) -> int | None:
        """Number of GPUs to start with if fewer than `gpus` are there; None requires all."""
        return None

    def note(self) -> str:
        """Description of the MLflow experiment, in Markdown."""
        return ""

    @abstractmethod
    def placement(self) -> Placement:
        """Where its stages run. Raises PipelineError when that cannot be determined."""

    @abstractmethod
    def target(self, placement: Placement) -> Stage:
        """The stage whose result is requested. Raises PipelineError for anything unknown or missing."""

    def targets(self, placement: Placement) -> tuple[Stage, ...]:
        """The target, followed by any further requested stages."""
        return (self.target(placement),)

    def to_json(self) -> dict[str, Any]:
        return {"command": self.command, **asdict(self)}


@dataclass(frozen=True, kw_only=True)
class SetupRequest(Request):
    """A request with options that change a setup."""

    data: Annotated[
        str,
        typer.Option(
            metavar="DIR|FILE", help="Your own data set, in any layout or a CSV or JSON file, instead of the recipe's."
        ),
    ] = ""
    layout: LayoutOption = ""
    train_split: Annotated[
        str, typer.Option(help="Split of --data to train on; by default trainval (with test) or train.")
    ] = ""
    test_split: Annotated[str, typer.Option(help="Split of --data to test on; by default test or val.")] = ""
    holdout: HoldoutOption = 0.0
    seed: SeedOption = 0
    strict: StrictOption = False
    allow_trained_images: AllowOption = False
    in_process: InProcessOption = False
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "-s",
            "--set",
            metavar="FIELD=VALUE",
            help="Change a setting of the recipe, named as in `ssdpipe recipe show`; repeatable.",
        ),
    ] = None

    def adjusted(self, setup: Setup) -> Setup:
        """The setup with these options applied."""
        from experiments.framework.setups import on_data
        from pipeline.errors import PipelineError

        refuse_lone_seed(self.holdout, self.seed)
        if self.data:
            setup = on_data(
                setup,
                self.data,
                train_split=self.train_split,
                test_split=self.test_split,
                layout=self.layout,
                holdout=self.holdout,
                seed=self.seed,
            )
        elif self.train_split or self.test_split or self.layout or self.holdout:
            raise PipelineError(
                "--train-split, --test-split, --holdout and --layout apply to your own data set: "
                "name it with --data DIR"
            )
        return replace(
            with_settings(setup, self.settings or ()),
            strict=self.strict or setup.strict,  # a user's own experiment may set them, too
            allow_trained_images=self.allow_trained_images or setup.allow_trained_images,
        )


def with_settings(setup: Setup, settings: Sequence[str]) -> Setup:
    """The setup with the settings of -s. Raises PipelineError for a wrong name or value."""
    from pipeline.overrides import override

    of_limits, of_recipe = divided_settings(settings)
    return replace(
        setup,
        recipe=override(setup.recipe, of_recipe, root="recipe"),
        limits=override(setup.limits, of_limits, root=LIMITS),
    )


def divided_settings(settings: Sequence[str]) -> tuple[list[str], list[str]]:
    """The settings of the detection, `limits.flip=true`, and those of the training."""
    of_limits = [each for each in settings if each.strip().startswith(f"{LIMITS}.")]
    return of_limits, [each for each in settings if each not in of_limits]


def refuse_lone_seed(holdout: float, seed: int) -> None:
    """Raises PipelineError for a seed without a split to divide."""
    from pipeline.errors import PipelineError

    if seed and not holdout:
        raise PipelineError("--seed belongs to --holdout SHARE; the seed of a training is -s seed=N")
