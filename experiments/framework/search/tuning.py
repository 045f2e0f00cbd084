"""The stages of a search over a recipe's settings: trainings in parts, scored on validation images.

Tested in tests/experiments/cli/search/test_tune.py.
"""

from __future__ import annotations

from dataclasses import replace

from experiments.framework.search.halving import ends_of_rungs
from experiments.framework.setups import Setup, on_data
from pipeline.errors import PipelineError
from stages.datasets.find import find_data_set
from stages.datasets.holdout import divided
from stages.graphs import Evaluation, scored
from stages.shards.splits import pair_of_splits
from stages.training.part import TrainPart


def on_validation_images(
    setup: Setup, *, data: str, layout: str, train_split: str, validation_split: str, holdout: float, seed: int
) -> Setup:
    """The setup with validation images in place of test images: a split, or a share of the training images by content.

    Raises PipelineError for the split that `ssdpipe train` tests on.
    """
    if validation_split and not data:
        raise PipelineError("--validation-split names a split of your own data set: name it with --data DIR")
    if data:
        if validation_split:
            _refuse_test_split(data, layout, validation_split)
        share = 0.0 if validation_split else holdout
        return on_data(
            setup, data, train_split=train_split, test_split=validation_split, layout=layout, holdout=share, seed=seed
        )
    if train_split or layout:
        raise PipelineError("--train-split and --layout apply to your own data set: name it with --data DIR")
    sides = [divided(source, holdout, seed) for source in setup.train]
    return replace(setup, train=tuple(first for first, _ in sides), test=tuple(second for _, second in sides))


def _refuse_test_split(data: str, layout: str, validation_split: str) -> None:
    found = find_data_set(data, layout)
    try:
        tested = {pair_of_splits(found)[1], "test"}
    except PipelineError:  # there is no pair of splits
        tested = {"test"}
    if validation_split in tested:
        raise PipelineError(
            f"{validation_split} is the split that `ssdpipe train` tests on: what is chosen on it cannot be tested on "
            "it. Leave out --validation-split to hold out a part of the training images, or name another split"
        )


def part(setup: Setup, rung: int, rungs: int) -> TrainPart:
    """The training of a setup up to the end of a rung, in parts."""
    whole = setup.training()
    ends = ends_of_rungs(setup.recipe.schedule.iterations, rungs)
    made: TrainPart | None = None
    for end in ends[: rung + 1]:
        variant = f"{setup.run.name}-{end}/seed{setup.recipe.seed}"
        made = TrainPart(**{**vars(whole), "variant": variant}, until=end, after=made)
    assert made is not None
    return made


def evaluation(setup: Setup, rung: int, rungs: int) -> Evaluation:
    """The score of a setup's training at the end of a rung, on the validation images."""
    training = part(setup, rung, rungs) if rungs > 1 else setup.training()
    return scored(
        training,
        test=setup.test_shards(),
        variant=training.variant,
        training=training,
        placement=setup.placement,
        protocol=setup.protocol,
        limits=setup.limits,
    )
