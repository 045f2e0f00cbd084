"""One cell of the comparison with torchvision: a training with parts of either side, scored with both detections."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
import torchvision
from learning_data import OurBatches, TorchvisionBatches, batches, scores
from learning_sides import (
    Whose,
    our_detections,
    our_loss,
    torchvision_detections,
    torchvision_loss,
    torchvision_ssd,
)
from learning_trials import Cell, Trial
from torch import Tensor

from ssd_core.data.shards import ShardSet
from ssd_core.data.training_stream import Batch
from ssd_core.metrics.voc_ap import ScoredBoxes
from ssd_core.network.model import Detector
from ssd_core.spec.recipe import Recipe
from ssd_core.training.optimiser import build_optimiser, set_learning_rate
from ssd_core.weights.initial import initial_detector
from ssd_core.weights.weights import Weights

LOSS_WINDOWS = 20
"""Number of points of the loss curve in a result."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a cell runs and what it starts from; none of it is compared."""

    data: Path
    work: Path
    initial: Weights | None = None
    device: torch.device
    processes: int = 0
    """Loader processes that decode and augment ahead."""


def measure(cell: Cell, trial: Trial, place: Place) -> dict[str, Any]:
    """Train and score one cell; return its conditions and results."""
    train_shards, test_shards = trial.shards(place.data, place.work)
    detector = initial_detector(trial.recipe.spec, cell.seed, place.initial).to(place.device)
    # the preprocessing comes from the initial weights
    recipe = replace(trial.recipe, seed=cell.seed, spec=detector.spec)
    stream = {"ours": OurBatches, "torchvision": TorchvisionBatches}[cell.augment](train_shards, recipe)
    began = time.perf_counter()
    steps = batches(stream, recipe.schedule.iterations, place.processes)
    losses = train(detector, cell.loss, steps, recipe, cell.name)
    seconds = time.perf_counter() - began
    return {
        **asdict(cell),
        "input_size": recipe.spec.input_size,
        "classes": list(recipe.spec.classes),
        "train_images": len(train_shards),
        "test_images": len(test_shards),
        "batch_size": recipe.batch_size,
        "iterations": recipe.schedule.iterations,
        "training_seconds": round(seconds, 1),
        "losses": losses,
        "detection": {whose: scores(found, test_shards) for whose, found in detections(detector, test_shards)},
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "device": _name_of(place.device),
    }


def train(
    detector: Detector, whose_loss: Whose, stream: Iterator[Batch], recipe: Recipe, name: str = ""
) -> list[float]:
    """Train in place; return mean losses over equal parts of the training."""
    detector.to(memory_format=torch.channels_last).train()
    loss_of = loss_function(detector, whose_loss)
    optimiser = build_optimiser(detector, recipe.optimiser, momentum=recipe.momentum, weight_decay=recipe.weight_decay)
    every = max(1, recipe.schedule.iterations // LOSS_WINDOWS)
    means, window = [], list[float]()
    for step, batch in enumerate(stream):
        set_learning_rate(optimiser, recipe.schedule.learning_rate(step))
        loss = loss_of(batch.to(detector.default_boxes.device))
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        optimiser.step()
        window.append(float(loss.detach()))
        if len(window) == every:
            means.append(round(sum(window) / every, 4))
            print(f"{datetime.now(UTC):%H:%M:%S} {name}: step {step + 1}, loss {means[-1]:.3f}", flush=True)
            window.clear()
    return means


def loss_function(detector: Detector, whose: Whose) -> Callable[[Batch], Tensor]:
    """Return the loss of a batch as a function, with gradients for the parameters of `detector`."""
    if whose == "ours":
        return lambda batch: our_loss(detector, batch)
    ssd = torchvision_ssd(detector).train()
    return lambda batch: torchvision_loss(ssd, batch)


def detections(detector: Detector, shards: ShardSet) -> Iterator[tuple[Whose, ScoredBoxes]]:
    """Detect with both sides' code and the same network."""
    detector.eval()
    yield "ours", our_detections(detector, shards)
    yield "torchvision", torchvision_detections(torchvision_ssd(detector), shards)


def _name_of(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type} with {torch.get_num_threads()} threads"
