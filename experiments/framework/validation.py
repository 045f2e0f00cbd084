"""A validation split beside a training: which images, and that none of them is trained on."""

from __future__ import annotations

from dataclasses import replace

from experiments.framework.setups import Setup
from pipeline.errors import PipelineError
from stages.evaluation.validate import Validate
from stages.graphs import Evaluation, validated
from stages.placement import Placement
from stages.shards.overlap import refuse_shared_lists
from stages.shards.shard import Shard
from stages.training.train import Train


def validation_of(evaluation: Evaluation, setup: Setup, *, split: str, placement: Placement) -> Validate:
    """Scores of the checkpoints that the training behind an evaluation keeps, on a split of the test images' folder."""
    training = evaluation.training
    assert isinstance(training, Train), "an evaluation of a training"
    if not training.recipe.keep_every:
        raise PipelineError(
            "--validation-split scores the checkpoints that a training keeps, and this one keeps none: "
            f"add -s keep_every=N (it has {training.recipe.schedule.iterations} iterations)"
        )
    if training.recipe.keep_every > training.recipe.schedule.iterations:
        raise PipelineError(
            f"keep_every={training.recipe.keep_every} is beyond the {training.recipe.schedule.iterations} iterations "
            "of this training: no checkpoint would be kept to validate"
        )
    return validated(training, validation=validation_shards(setup, split), placement=placement, protocol=setup.protocol)


def validation_shards(setup: Setup, split: str) -> Shard:
    """The split as shards. PipelineError when images of it are trained on."""
    sources = tuple(replace(source, split=split) for source in setup.test)
    shards = Shard(sources=sources, classes=setup.recipe.spec.classes, strict=setup.strict, variant=split)
    remedy = "name other splits with --validation-split and --train-split"
    refuse_shared_lists(shards, [setup.train_shards()], remedy)
    return shards
