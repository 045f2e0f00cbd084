"""A few steps of a training on generated images: its losses, and its images per second.

A step's images depend on its number alone, so that any number of workers trains on the same batches. Losses are those
of fp32 without TF32 and of the same algorithms at each call; the rate is that of the defaults.

Tested in tests/stages/training/selfcheck/test_selfcheck.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch

from ssd_core.boxes.objects import Objects
from ssd_core.data.loading import stack
from ssd_core.data.order import share
from ssd_core.data.training_stream import Batch
from ssd_core.spec.paper import ssd300
from ssd_core.spec.recipe import Recipe
from ssd_core.spec.schedule import Schedule
from ssd_core.spec.tiny import ssd_tiny
from ssd_core.spec.vocabularies import VOC_CLASSES
from ssd_core.training.checkpoint import CheckpointFolder
from ssd_core.training.compilation import Verdict
from ssd_core.training.trainer import Pace, Trainer
from ssd_core.training.world import World
from ssd_core.weights.initial import initial_detector
from stages.training.worker import threads

COMPARED_STEPS = 5
TIMED_STEPS = {"cuda": 20, "cpu": 4}
"""Each followed by as many again, of which the rate is taken: the first include the choice of algorithms."""

OBJECTS = 3


def trial_recipe(workers: int, *, on_gpu: bool) -> Recipe:
    """The paper's SSD300 and batch on GPUs, a tiny detector on CPUs; a larger batch for more workers than images."""
    spec, batch = (ssd300(), 32) if on_gpu else (ssd_tiny(VOC_CLASSES), 8)
    return Recipe(spec=spec, batch_size=max(batch, workers), schedule=Schedule(base_lr=1e-4, drops=()))


def losses(world: World, recipe: Recipe) -> list[float]:
    """Losses of the first steps; empty on all workers but the first."""
    with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
        return _run(world, recipe, steps=COMPARED_STEPS, log_steps=1).losses


def images_per_second(world: World, recipe: Recipe) -> float:
    """Rate of the training; 0 on all workers but the first."""
    steps = TIMED_STEPS[world.device.type]
    with torch.backends.cudnn.flags(enabled=True, benchmark=True, deterministic=False, allow_tf32=True):
        rates = _run(world, recipe, steps=2 * steps, log_steps=steps).rates
    return rates[-1] if rates else 0.0


def batch(recipe: Recipe, step: int, *, rank: int = 0, world: int = 1) -> Batch:
    """One worker's share of the images of a step."""
    places = share(recipe.batch_size, rank=rank, world=world)
    positions = [step * recipe.batch_size + place for place in places]
    generators = [np.random.default_rng([recipe.seed, position]) for position in positions]
    size, classes = recipe.spec.input_size, len(recipe.spec.classes)
    images = [rng.integers(0, 256, (size, size, 3), np.uint8) for rng in generators]
    corners = np.stack([rng.uniform(0, 1, (OBJECTS, 2, 2)) for rng in generators])
    boxes = np.concatenate([corners.min(axis=2), corners.max(axis=2)], axis=2)
    labels = np.stack([rng.integers(0, classes, OBJECTS) for rng in generators])
    return Batch(
        images=stack(images),
        objects=Objects(
            boxes_xyxy=torch.from_numpy(boxes).float(),
            labels=torch.from_numpy(labels).long(),
            valid=torch.ones(labels.shape, dtype=torch.bool),
        ),
        image_ids=[str(position) for position in positions],
        positions=torch.tensor(positions),
    )


def _run(world: World, recipe: Recipe, *, steps: int, log_steps: int) -> _Record:
    recipe = replace(recipe, schedule=replace(recipe.schedule, iterations=steps))
    record = _Record()
    trainer = Trainer(
        recipe,
        initial_detector(recipe.spec, recipe.seed),
        world=world,
        checkpoints=_Nowhere(path=""),
        listener=record,
        pace=Pace(log_steps=log_steps, checkpoint_steps=0, checkpoint_seconds=float("inf")),
        record=record,
    )
    with threads(1):  # whether one worker computes or all do
        trainer.run([batch(recipe, step, rank=world.rank, world=world.size) for step in range(steps)])
    return record


@dataclass(frozen=True, kw_only=True)
class _Nowhere(CheckpointFolder):
    """Holds no checkpoint and keeps none."""

    def newest_step(self) -> int:
        return 0

    def save(self, step: int, model: Any, optimiser: Any, average: Any = None) -> None: ...


@dataclass
class _Record:
    """Losses by step and rates by window."""

    losses: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)

    def point(self, step: int, values: Mapping[str, float]) -> None:  # noqa: ARG002 - the protocol
        self.rates.append(values["throughput/images_per_second"])

    def progress(self, step: int, total: int, note: str) -> None: ...
    def compilation(self, step: int, verdict: Verdict) -> None: ...
    def saving(self) -> None: ...

    def steps(self, losses: Sequence[float], digests: Sequence[int]) -> None:  # noqa: ARG002 - the protocol
        self.losses += losses
