"""The stages of a search over a recipe's settings: trainings in parts, scored on validation images.

Tested in tests/experiments/cli/search/test_tune.py.
"""

from __future__ import annotations

from dataclasses import replace

from experiments.framework.search.halving import ends_of_rungs
from experiments.framework.setups import Setup, on_data
from pipeline.errors import PipelineError
from stages.datasets.find import DataSet, find_data_set
from stages.datasets.holdout import divided
from stages.graphs import Evaluation, scored
from stages.shards.splits import pair_of_splits, share_images
from stages.training.part import TrainPart


def on_validation_images(
    setup: Setup, *, data: str, layout: str, train_split: str, validation_split: str, holdout: float, seed: int
) -> Setup:
    """The setup with validation images in place of test images: a split, or a share of the training images by content.

    Raises PipelineError for a split that has images which `ssdpipe train` tests on.
    """
    if validation_split and not data:
        raise PipelineError("--validation-split names a split of your own data set: name it with --data DIR")
    if not (validation_split or holdout):
        raise PipelineError(
            "--holdout 0 leaves only the test images to score on, by which nothing may be chosen: hold out a share of "
            "the training images, such as 0.2, or name a split with --validation-split"
        )
    if data:
        return on_data(
            setup,
            data,
            train_split=_split_to_train_on(find_data_set(data, layout), train_split, validation_split),
            test_split=validation_split,
            layout=layout,
            holdout=0.0 if validation_split else holdout,
            seed=seed,
        )
    if train_split or layout:
        raise PipelineError("--train-split and --layout apply to your own data set: name it with --data DIR")
    sides = [divided(source, holdout, seed) for source in setup.train]
    return replace(setup, train=tuple(first for first, _ in sides), test=tuple(second for _, second in sides))


def _split_to_train_on(found: DataSet, train_split: str, validation_split: str) -> str:
    """The named split, or that of `ssdpipe train`; empty for the only one.

    Raises PipelineError if this split or the one to validate on has images of the split that `ssdpipe train` tests on.
    """
    try:
        usual, tested = pair_of_splits(found)
    except PipelineError:  # there is no pair of splits
        usual, tested = "", "test"
    if validation_split and not train_split:
        usual, _ = pair_of_splits(found, test=validation_split)
    train = train_split or usual
    for split in (validation_split, train):
        if split in (tested, "test"):
            raise PipelineError(
                f"{split} is the split that `ssdpipe train` tests on: what is chosen on it cannot be tested on it. "
                "Omit --validation-split to hold out a part of the training images, or name another split"
            )
        if {split, tested} <= set(found.splits) and share_images(found, split, tested):
            raise PipelineError(
                f"{split} has images of {tested}, the split that `ssdpipe train` tests on: what is chosen on them "
                "cannot be tested on them. Name other splits with --train-split and --validation-split"
            )
    return train


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
