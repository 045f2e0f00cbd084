"""A validation split beside a training: which images, and that none of them is trained on."""

from __future__ import annotations

from dataclasses import replace

from experiments.framework.setups import Setup
from pipeline.errors import PipelineError
from stages.evaluation.validate import Validate
from stages.graphs import validated
from stages.shards.overlap import refuse_shared_lists
from stages.shards.shard import Shard


def validation_of(setup: Setup, split: str) -> Validate:
    """Scores of the checkpoints that the setup's training keeps, on a split of the test images' folder."""
    every, iterations = setup.recipe.keep_every, setup.recipe.schedule.iterations
    if not every:
        raise PipelineError(
            "--validation-split scores the checkpoints that a training keeps, and this one keeps none: "
            f"add -s keep_every=N (it has {iterations} iterations)"
        )
    if every > iterations:
        raise PipelineError(
            f"keep_every={every} is beyond the {iterations} iterations of this training: no checkpoint would be kept "
            "to validate"
        )
    return validated(
        setup.training(),
        validation=validation_shards(setup, split),
        placement=setup.placement,
        protocol=setup.protocol,
    )


def validation_shards(setup: Setup, split: str) -> Shard:
    """The split as shards. PipelineError when images of it are trained on."""
    sources = tuple(replace(source, split=split) for source in setup.test)
    shards = Shard(sources=sources, classes=setup.recipe.spec.classes, strict=setup.strict, variant=split)
    remedy = "name other splits with --validation-split and --train-split"
    refuse_shared_lists(shards, [setup.train_shards()], remedy)
    return shards
