"""From a recipe to the stages that answer for it: shards -> train -> detect -> evaluate, and train -> validate."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.stage import Stage
from stages.detect import Detect
from stages.evaluate import Evaluate
from stages.recipe import Recipe
from stages.train import Train
from stages.validate import Validate


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where stages run; never part of a key."""

    workers: int = 1
    """Processes of one training: its GPUs, or CPU workers."""

    use_gpu: bool = False
    cpus_per_worker: float = 1
    loader_processes: int = 0
    detection_workers: int = 1


def evaluated(
    recipe: Recipe, *, test: Stage, variant: str, tags: tuple[tuple[str, str], ...] = (), placement: Placement
) -> Evaluate:
    """Train the recipe, detect on the test shards, score."""
    training = Train(
        recipe=recipe,
        variant=variant,
        tags=tags,
        workers=placement.workers,
        use_gpu=placement.use_gpu,
        cpus_per_worker=placement.cpus_per_worker,
        loader_processes=placement.loader_processes,
    )
    return scored(training, test=test, variant=variant, training=training, placement=placement)


def scored(
    weights: Stage, *, test: Stage, variant: str, training: Stage | None = None, placement: Placement
) -> Evaluate:
    """Detect with some weights on the test shards, and score."""
    detections = Detect(
        weights=weights,
        shards=test,
        variant=variant,
        workers=placement.detection_workers,
        use_gpu=placement.use_gpu,
    )
    return Evaluate(detections=detections, shards=test, training=training, variant=variant)


def validated(training: Train, *, validation: Stage, placement: Placement) -> Validate:
    """Score the checkpoints that the training keeps on validation shards."""
    recipe = training.recipe
    every, last = recipe.keep_every, recipe.schedule.iterations
    return Validate(
        training=training,
        shards=validation,
        iterations=tuple(range(every, last + 1, every)) if every else (),
        variant=training.variant,
        workers=placement.detection_workers,
        use_gpu=placement.use_gpu,
    )
