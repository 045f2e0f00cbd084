"""Trainings with the real Trainer: on the device against the CPU, bf16 against fp32, resumed against uninterrupted."""

from __future__ import annotations

import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from gpu.comparison import Check, close
from torch import Tensor

from ssd_core.data.training_stream import Batch
from ssd_core.network.precision import has_bf16
from ssd_core.spec.recipe import Recipe
from ssd_core.spec.schedule import Schedule
from ssd_core.training.checkpoint import CheckpointFolder
from ssd_core.training.trainer import Pace, Trainer
from ssd_core.training.world import World
from ssd_core.weights.initial import initial_detector

ROOT = Path(__file__).parents[2]
STEPS = 5
STOP = 3
"""Step after which the resumed training was interrupted."""

FP32_LOSSES = 2e-3
"""Relative error of the losses of five steps, which hard negative mining amplifies."""

BF16_LOSSES = 3e-2
RESUMED = 1e-3
"""Relative error of the weights, with deterministic cuDNN. Biases start at 0, so that a lost momentum changes them by
tens of percent."""


@dataclass
class Curve:
    """A listener that keeps the points of the curves."""

    points: list[Mapping[str, float]] = field(default_factory=list)

    def point(self, step: int, values: Mapping[str, float]) -> None:  # noqa: ARG002 - the signature of Listener
        self.points.append(values)

    def progress(self, step: int, total: int, note: str) -> None: ...

    def losses(self) -> dict[str, Tensor]:
        return {name: torch.tensor([point[f"loss/{name}"] for point in self.points]) for name in self.parts}

    parts: tuple[str, ...] = ("location", "confidence")


def trainer_of(
    recipe: Recipe,
    device: torch.device,
    folder: Path,
    curve: Curve | None = None,
    pace: Pace | None = None,
    static_shapes: bool | None = None,
) -> Trainer:
    """Return a trainer of random weights; a checkpoint in `folder` is resumed."""
    return Trainer(
        recipe,
        initial_detector(recipe.spec, seed=0),
        world=World(device=device),
        checkpoints=CheckpointFolder(path=str(folder)),
        listener=curve or Curve(),
        pace=pace or Pace(log_steps=1),
        static_shapes=static_shapes,
    )


def trained(
    recipe: Recipe, batches: Sequence[Batch], device: torch.device, folder: Path
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Train to the end of the schedule; return the losses of the steps, and the weights."""
    curve = Curve()
    trainer = trainer_of(recipe, device, folder, curve)
    weights = trainer.run(batches[trainer.step :]).state_dict()
    return curve.losses(), weights


def training_checks(recipe: Recipe, batches: Sequence[Batch], device: torch.device) -> Iterator[tuple[str, Check]]:
    """Yield the comparisons of trainings of five steps; there are as many batches."""
    recipe = replace(recipe, schedule=Schedule(iterations=STEPS, base_lr=1e-4, drops=(), warmup=STEPS))
    with tempfile.TemporaryDirectory() as work:
        here, _ = trained(recipe, batches, torch.device("cpu"), Path(work, "cpu"))
        there, weights = trained(recipe, batches, device, Path(work, "device"))
        yield f"losses of {STEPS} steps, fp32", close(there, here, FP32_LOSSES)
        if has_bf16(device):
            low, _ = trained(replace(recipe, precision="bf16"), batches, device, Path(work, "bf16"))
            yield f"losses of {STEPS} steps, bf16 against fp32", close(low, there, BF16_LOSSES)
        resumed = resumed_weights(recipe, batches, device, Path(work, "resumed"))
        yield f"weights after a stop at step {STOP} and a resumption", close(resumed, weights, RESUMED)


def resumed_weights(recipe: Recipe, batches: Sequence[Batch], device: torch.device, folder: Path) -> dict[str, Tensor]:
    """Train with an interruption: a first trainer saves at step STOP, a second one continues from its checkpoint."""
    first = trainer_of(recipe, device, folder, pace=Pace(log_steps=1, checkpoint_steps=STOP))
    with suppress(KeyboardInterrupt):
        first.run(interrupted(batches[:STOP]))
    assert first.checkpoints.newest_step() == STOP, "the second trainer resumes"
    _, weights = trained(recipe, batches, device, folder)
    return weights


def interrupted(batches: Sequence[Batch]) -> Iterator[Batch]:
    yield from batches
    raise KeyboardInterrupt


def synchronisations(recipe: Recipe, batch: Batch, device: torch.device, warmup: int = 3) -> dict[str, object]:
    """Return how often one training step waits for the device, and the lines of Python that do."""
    with tempfile.TemporaryDirectory() as work:
        trainer = trainer_of(recipe, device, Path(work))
        resident = batch.to(device)
        for _ in range(warmup):
            trainer._take_step(resident)
        torch.cuda.synchronize(device)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            torch.cuda.set_sync_debug_mode("warn")
            trainer._take_step(resident)
            torch.cuda.set_sync_debug_mode("default")
    waits = [each for each in caught if "called a synchronizing" in str(each.message)]
    return {"per step": len(waits), "places": dict(Counter(map(place, waits)))}


def place(warning: warnings.WarningMessage) -> str:
    """Return file and line, relative to the repository if it is one of its files."""
    path = Path(warning.filename)
    return f"{path.relative_to(ROOT) if path.is_relative_to(ROOT) else path}:{warning.lineno}"
