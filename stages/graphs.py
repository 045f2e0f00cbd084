"""Build the stages behind a number: training, detection, evaluation, pictures; and validation of checkpoints."""

from __future__ import annotations

from pipeline.stage import Stage
from ssd_core.detection.limits import PAPER_LIMITS, DetectionLimits
from ssd_core.metrics.voc_ap import ILSVRC_TOLERANCE
from ssd_core.spec.recipe import Recipe
from stages.analysis.draw_detections import DrawDetections
from stages.detection.detect import Detect
from stages.evaluation.evaluate import Evaluate
from stages.evaluation.evaluate_coco import EvaluateCoco
from stages.evaluation.protocol import Protocol
from stages.evaluation.validate import Validate
from stages.placement import Placement
from stages.shards.shard import Shard
from stages.training.train import Train

Evaluation = Evaluate | EvaluateCoco


def trained(
    recipe: Recipe,
    *,
    shards: Stage,
    initial: Stage | None = None,
    variant: str,
    tags: tuple[tuple[str, str], ...] = (),
    placement: Placement,
) -> Train:
    """Stage that trains the recipe on the shards, from the initial weights or from scratch."""
    return Train(
        recipe=recipe,
        shards=shards,
        initial=initial,
        variant=variant,
        tags=tags,
        workers=placement.workers,
        min_workers=placement.min_workers,
        wait_seconds=placement.wait_seconds,
        use_gpu=placement.use_gpu,
        cpus_per_worker=placement.cpus_per_worker,
        loader_processes=placement.loader_processes,
    )


def detected(
    weights: Stage,
    *,
    shards: Stage,
    variant: str,
    placement: Placement,
    limits: DetectionLimits = PAPER_LIMITS,
    allow_trained_images: bool = False,
) -> Detect:
    """Detect with the weights on the shards, which the weights must not have been trained on unless allowed."""
    return Detect(
        weights=weights,
        shards=shards,
        limits=limits,
        allow_trained_images=allow_trained_images,
        variant=variant,
        workers=placement.detection_workers,
        use_gpu=placement.use_gpu,
    )


def scored(
    weights: Stage,
    *,
    test: Stage,
    variant: str,
    training: Stage | None = None,
    placement: Placement,
    protocol: Protocol = "voc",
    limits: DetectionLimits = PAPER_LIMITS,
    allow_trained_images: bool = False,
) -> Evaluation:
    """Stages that detect on the test shards with these weights and score the detections by the protocol."""
    detections = detected(
        weights,
        shards=test,
        variant=variant,
        placement=placement,
        limits=limits,
        allow_trained_images=allow_trained_images,
    )
    if protocol == "coco":
        return EvaluateCoco(detections=detections, shards=test, training=training, variant=variant)
    tolerance = ILSVRC_TOLERANCE if protocol == "ilsvrc" else 0.0
    return Evaluate(detections=detections, shards=test, training=training, pixel_tolerance=tolerance, variant=variant)


def pictured(evaluation: Evaluation) -> DrawDetections:
    """Stage that draws what the scored detections get right and wrong on the images of the test shards."""
    from stages.analysis.known_groups import grouping_of  # with numpy, for the drawn classes

    shards = evaluation.shards
    return DrawDetections(
        detections=evaluation.detections,
        shards=shards,
        training=evaluation.training,
        similar=grouping_of(shards.classes).similar if isinstance(shards, Shard) else (),
        variant=evaluation.variant,
    )


def validated(
    training: Train,
    *,
    validation: Stage,
    placement: Placement,
    protocol: Protocol = "voc",
    limits: DetectionLimits = PAPER_LIMITS,
    allow_trained_images: bool = False,
) -> Validate:
    """Stage that scores the checkpoints kept by the training on validation shards."""
    recipe = training.recipe
    every, last = recipe.keep_every, recipe.schedule.iterations
    return Validate(
        training=training,
        shards=validation,
        protocol=protocol,
        limits=limits,
        allow_trained_images=allow_trained_images,
        iterations=tuple(range(every, last + 1, every)) if every else (),
        variant=training.variant,
        workers=placement.detection_workers,
        use_gpu=placement.use_gpu,
    )
