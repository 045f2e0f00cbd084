"""Request of `tune`: trainings of one recipe with different settings, scored on validation images.

Tested in tests/experiments/cli/search/test_tune.py.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from experiments.cli.requests.request import (
    CpusPerWorkerOption,
    GpusOption,
    InProcessOption,
    Request,
    SeedOption,
    StrictOption,
    with_settings,
)
from experiments.cli.shared.completion import complete_recipe
from experiments.cli.shared.options import LayoutOption

if TYPE_CHECKING:
    from experiments.framework.setups import Setup
    from pipeline.stage import Stage
    from stages.graphs import Evaluation
    from stages.placement import Placement

NOT_SEARCHED = {
    "schedule.iterations": "trials are compared after equally many",
    "seed": "it is noise; --seeds N trains each trial with several",
}


@dataclass(frozen=True, kw_only=True)
class TuneOptions:
    """What is searched, on which images, with how many trainings, and where they run."""

    recipe: Annotated[
        str, typer.Argument(help="Name of a recipe, see `ssdpipe recipe list`.", autocompletion=complete_recipe)
    ]
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "-s",
            "--set",
            metavar="FIELD=VALUES",
            help="A setting to search, as LOW..HIGH, LOW..HIGH:log or A|B; or FIELD=VALUE, one for all; repeatable.",
        ),
    ] = None
    trials: Annotated[int, typer.Option(min=1, help="Number of different settings to try.")] = 8
    seeds: Annotated[int, typer.Option(min=1, help="Number of trainings of each, with seeds 0, 1 ...")] = 2
    rungs: Annotated[
        int, typer.Option(min=1, max=8, help="Ends of parts at which the worse half of the trials stops; 1: none does.")
    ] = 3
    data: Annotated[
        str, typer.Option(metavar="DIR|FILE", help="Your own data set, in any layout, instead of the recipe's.")
    ] = ""
    layout: LayoutOption = ""
    train_split: Annotated[str, typer.Option(help="Split of --data to train on; by default trainval or train.")] = ""
    validation_split: Annotated[
        str, typer.Option(help="Split of --data to score on, never the test split; by default, --holdout.")
    ] = ""
    holdout: Annotated[
        float,
        typer.Option(min=0.0, max=1.0, metavar="SHARE", help="Share of the training images to score on; by content."),
    ] = 0.2
    seed: SeedOption = 0
    init: Annotated[
        str, typer.Option(metavar="imagenet|scratch|FILE", help="Initial weights; the recipe's by default.")
    ] = ""
    strict: StrictOption = False
    gpus: GpusOption = None
    gpus_per_training: Annotated[int, typer.Option(min=1, help="GPUs of each training; no effect on CPU.")] = 1
    cpus_per_worker: CpusPerWorkerOption = None
    in_process: InProcessOption = False


@dataclass(frozen=True, kw_only=True)
class TuneRequest(TuneOptions, Request):
    """`tune`: a search over the settings of a recipe."""

    command: ClassVar[str] = "tune"
    entered: tuple[tuple[int, ...], ...] = ()
    """Numbers of the trials that entered each rung so far; all trials and the first rung if empty."""

    @property
    def name(self) -> str:
        return f"tune-{self.recipe}"

    def note(self) -> str:
        return "Each training of a trial is a run; group by the parameter `variant` to average over its seeds."

    def placement(self) -> Placement:
        from experiments.cli.shared.placing import place

        return place(
            gpus=self.gpus,
            gpus_per_training=self.gpus_per_training,
            cpus_per_worker=self.cpus_per_worker,
            in_process=self.in_process,
        )

    def drawn(self) -> dict[int, tuple[str, ...]]:
        """Settings of each trial by its number. Raises PipelineError when there is nothing to search."""
        from experiments.framework.search.space import divided, trials
        from pipeline.errors import PipelineError

        _, axes = divided(self.settings or ())
        if not axes:
            raise PipelineError(
                "there is nothing to search: give a setting as a range, such as -s schedule.base_lr=1e-4..1e-2:log, or "
                "as a choice, -s 'optimiser=sgd|adamw'"
            )
        if refused := next((axis.name for axis in axes if axis.name in NOT_SEARCHED), None):
            raise PipelineError(f"{refused} cannot be searched: {NOT_SEARCHED[refused]}")
        return dict(enumerate(trials(axes, self.trials), 1))

    def target(self, placement: Placement) -> Stage:
        return self.targets(placement)[0]

    def targets(self, placement: Placement) -> tuple[Stage, ...]:
        entered = self.entered or (tuple(self.drawn()),)
        found = (self.evaluations(rung, trials, placement) for rung, trials in enumerate(entered))
        return tuple(stage for each in found for stages in each.values() for stage in stages)

    def evaluations(self, rung: int, trials: tuple[int, ...], placement: Placement) -> dict[int, list[Evaluation]]:
        """Scores of some trials at the end of a rung, one for each seed."""
        from experiments.framework.search.tuning import evaluation

        drawn, setup = self.drawn(), self.setup(placement)
        return {
            trial: [
                evaluation(self._of_trial(setup, trial, drawn[trial], seed), rung, self.rungs)
                for seed in range(self.seeds)
            ]
            for trial in trials
        }

    def setup(self, placement: Placement) -> Setup:
        """The recipe on training and validation images, with the settings that all trials share."""
        from experiments.framework.loading import named_setup
        from experiments.framework.search.space import divided
        from experiments.framework.search.tuning import on_validation_images
        from experiments.framework.setups import starting_from

        def adjusted(setup: Setup) -> Setup:
            validated = on_validation_images(
                setup,
                data=self.data,
                layout=self.layout,
                train_split=self.train_split,
                validation_split=self.validation_split,
                holdout=self.holdout,
                seed=self.seed,
            )
            fixed, _ = divided(self.settings or ())
            return replace(with_settings(validated, fixed), strict=self.strict)

        setup = named_setup(self.recipe, adjust=adjusted, placement=placement)
        return starting_from(setup, self.init) if self.init else setup

    def _of_trial(self, setup: Setup, trial: int, settings: tuple[str, ...], seed: int) -> Setup:
        changed = with_settings(setup, settings)
        return replace(
            changed,
            run=replace(changed.run, name=f"{self.name}/trial{trial}"),
            recipe=replace(changed.recipe, seed=changed.recipe.seed + seed, keep_every=0),
        )
