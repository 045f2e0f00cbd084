"""Disk space that a stage takes: by arithmetic for weights, from past results of its kind for the rest.

Tested in tests/stages/cost/test_cost.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median

from pipeline.keys.fingerprint import class_name
from pipeline.stage import Stage
from stages.cost.past import PastRun
from stages.cost.work import Work, cost_of
from stages.detection.detect import Detect
from stages.shards.shard import Shard
from stages.training.train import Train

FLOAT = 4
"""Bytes of a float32."""

IMAGE_BYTES = 90_000
"""Bytes of an image in shards, assumed without past results: 0.9 GB for the 9,963 images of VOC2007."""

DETECTION_BYTES = 40
"""Bytes of a detection: its image, class, score and four coordinates."""

CHECKPOINTS = 3
"""Checkpoints on disk at once: the two newest, and the one being written."""


def result_bytes(stage: Stage, work: Work | None, past: Iterable[PastRun]) -> float:
    """Bytes of a stage's result; 0 if they cannot be estimated."""
    if isinstance(stage, Train):
        return weights_bytes(stage)
    alike = [run for run in past if run.stage == class_name(type(stage))]
    if work is None:
        return median(run.size for run in alike) if alike else 0
    if sizes := [run.size / run.work.images for run in alike if run.work]:
        return median(sizes) * work.images
    match stage:
        case Shard():
            return IMAGE_BYTES * work.images
        case Detect():
            return DETECTION_BYTES * stage.limits.per_image * work.images
    return 0


def weights_bytes(training: Train) -> int:
    """Bytes of the weights that a training leaves: the final ones and those of kept checkpoints."""
    return FLOAT * cost_of(training.recipe.spec).parameters * (1 + _kept(training))


def checkpoint_bytes(training: Train) -> int:
    """Bytes of a training's checkpoints while it runs: the weights and the optimiser's one or two moments."""
    tensors = 2 if training.recipe.optimiser == "sgd" else 3
    return FLOAT * cost_of(training.recipe.spec).parameters * tensors * (CHECKPOINTS + _kept(training))


def _kept(training: Train) -> int:
    recipe = training.recipe
    return recipe.schedule.iterations // recipe.keep_every if recipe.keep_every else 0
