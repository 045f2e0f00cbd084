"""Training steps that are compared: ours, torchvision's SSD300, and the bare network as the ceiling.

All work on batches that are on the device, with uint8 images. The learning rate is 1e-7, so that random weights do not
diverge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from typing import Any

import torch
from gpu.trainings import trainer_of
from learning_sides import torchvision_ssd, torchvision_targets
from torchvision.models.detection import ssd300_vgg16
from torchvision.models.detection.ssd import SSD

from ssd_core.data.training_stream import Batch
from ssd_core.network.model import Detector
from ssd_core.network.precision import Precision, autocast
from ssd_core.spec.detector import DetectorSpec
from ssd_core.spec.recipe import Recipe
from ssd_core.spec.schedule import Schedule
from ssd_core.training.optimiser import build_optimiser, set_learning_rate
from ssd_core.weights.initial import initial_detector

Step = Callable[[], object]

RATE = 1e-7
SCHEDULE = Schedule(iterations=10**9, base_lr=RATE, drops=())


def repeated(step: Callable[[Batch], object], batches: Sequence[Batch], times: int) -> Step:
    """Return a call of `times` steps on the batches in turn, so that steps overlap as in a training."""
    waiting: Iterator[Batch] = cycle(batches)

    def steps() -> None:
        for _ in range(times):
            step(next(waiting))

    return steps


def our_step(
    recipe: Recipe, device: torch.device, folder: Path, *, compiled: bool = False, static_shapes: bool | None = None
) -> Callable[[Batch], object]:
    """Return the step of the Trainer: matching, network, loss, gradients, update."""
    trainer = trainer_of(replace(recipe, compiled=compiled), device, folder, static_shapes=static_shapes)
    window = type(trainer._window)

    def step(batch: Batch) -> None:
        trainer._take_step(batch)
        if len(trainer._window.losses) >= 20:
            trainer._window = window()

    return step


def bare_step(
    recipe: Recipe,
    device: torch.device,
    *,
    compiled: bool = False,
    layout: torch.memory_format = torch.channels_last,
    alter: Callable[[Detector], object] | None = None,
) -> Callable[[Batch], object]:
    """Return a step without matching and loss: the sum of the outputs, its gradients, the update.

    `alter` may exchange layers of the network before.
    """
    detector = initial_detector(recipe.spec, seed=0).to(device).train()
    detector.to(memory_format=layout)
    if alter:
        alter(detector)
    network: Any = torch.compile(detector, dynamic=False) if compiled else detector
    optimiser = build_optimiser(detector, momentum=recipe.momentum, weight_decay=recipe.weight_decay)
    set_learning_rate(optimiser, RATE)

    def step(batch: Batch) -> None:
        with autocast(recipe.precision, device):
            locations, logits = network(batch.images.contiguous(memory_format=layout))
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(locations.float().sum() + logits.float().sum())
        optimiser.step()

    return step


def torchvision_step(model: Any, precision: Precision, device: torch.device) -> Callable[[Batch], object]:
    """Return a step of torchvision's model with its own transform and loss, channels last, SGD of its recipe.

    Its images are float32 of the input size, a list as it expects; the conversion from uint8 is part of the step.
    """
    model.to(device).to(memory_format=torch.channels_last).train()
    optimiser = torch.optim.SGD(model.parameters(), lr=RATE, momentum=0.9, weight_decay=5e-4)
    targets: dict[int, tuple[Batch, list[dict[str, torch.Tensor]]]] = {}  # holds the batches, so that ids stay theirs

    def step(batch: Batch) -> None:
        if id(batch) not in targets:  # resident, as our objects are
            targets[id(batch)] = batch, torchvision_targets(batch.objects, batch.images.shape[-1])
        with autocast(precision, device):
            losses = model(list(batch.images / 255), targets[id(batch)][1])
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(losses["bbox_regression"] + losses["classification"])
        optimiser.step()

    return step


def torchvision_model(spec: DetectorSpec) -> SSD | None:
    """Return torchvision's ssd300_vgg16, or its class around our layers for a tiny detector.

    None for SSD512, which torchvision lacks.
    """
    if spec.input_size > 300:
        return None
    if spec.input_size == 300:
        model: SSD = ssd300_vgg16(weights=None, weights_backbone=None, num_classes=spec.class_count)
        return model
    return torchvision_ssd(initial_detector(spec, seed=0))
