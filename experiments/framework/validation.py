"""Validation of a training's kept checkpoints: which checkpoints, on which images."""

from __future__ import annotations

from dataclasses import replace

from experiments.framework.setups import Setup
from pipeline.errors import PipelineError
from stages.datasets.holdout import undivided
from stages.evaluation.validate import Validate
from stages.graphs import validated
from stages.shards.shard import Shard
from stages.shards.splits import require_scorable


def validation_of(setup: Setup, split: str) -> Validate:
    """Score the kept checkpoints of the setup's training on another split of the test data set.

    Raises PipelineError when the training keeps no checkpoint, or the split has no object that counts.
    """
    every, iterations = setup.recipe.keep_every, setup.recipe.schedule.iterations
    if not every:
        raise PipelineError(
            "--validation-split scores the kept checkpoints of a training, and this one keeps none: "
            f"add -s keep_every=N (it has {iterations} iterations)"
        )
    if every > iterations:
        raise PipelineError(
            f"keep_every={every} exceeds the {iterations} iterations of this training: no checkpoint would be kept "
            f"to validate; set it to at most {iterations}"
        )
    return validated(
        setup.training(),
        validation=validation_shards(setup, split),
        placement=setup.placement,
        protocol=setup.protocol,
        limits=setup.limits,
        allow_trained_images=setup.allow_trained_images,
    )


def validation_shards(setup: Setup, split: str) -> Shard:
    sources = tuple(replace(undivided(source), split=split) for source in setup.test)
    require_scorable(*sources)
    return replace(setup.test_shards(), sources=sources, variant=split)
