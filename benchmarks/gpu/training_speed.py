"""Images per second of training steps: ours, torchvision's and the bare network in turns."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from gpu.record import Record
from gpu.rounds import SMALL, Effort, compared, timed
from gpu.shards import resident, split
from gpu.steps import SCHEDULE, bare_step, our_step, repeated, torchvision_model, torchvision_step

from ssd_core.data.shards import ShardSet
from ssd_core.data.training_stream import Batch
from ssd_core.network.network_cost import network_cost
from ssd_core.network.precision import Precision
from ssd_core.spec.detector import DetectorSpec
from ssd_core.spec.recipe import Recipe

SECONDS = 12.0
"""About the time of one batch size, cuDNN's choice of kernels included."""

COMPILATION = 100.0
"""About the time of compiling two networks with their gradients."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Batch sizes of one network in one precision."""

    name: str
    spec: DetectorSpec
    batches: tuple[int, ...]
    precision: Precision
    compiled: bool = False

    @property
    def title(self) -> str:
        return f"training {self.name} {self.precision}{' compiled' * self.compiled}"

    @property
    def recipe(self) -> Recipe:
        return Recipe(spec=self.spec, batch_size=max(self.batches), precision=self.precision, schedule=SCHEDULE)


def training(record: Record, shards: ShardSet, plan: Plan) -> None:
    """Measure each batch size that the remaining time allows."""
    if not record.has_time(plan.title, "all", SECONDS + COMPILATION * plan.compiled):
        return
    options = record.options
    processes = 0 if options.small else 8
    drawn = [batch.to(options.device) for batch in resident(shards, plan.recipe, 2, processes)]
    with tempfile.TemporaryDirectory() as work:
        sides = sides_of(plan, options.device, Path(work))
        for batch in plan.batches:
            name = f"batch {batch}"
            if not record.has_time(plan.title, name, SECONDS):
                continue
            try:
                record.put(plan.title, name, measured(sides, list(split(drawn, batch)), plan, record))
            except RuntimeError as error:  # out of memory, or torch.compile fails
                record.put("failed", f"{plan.title}: {name}", str(error)[:500])


def sides_of(plan: Plan, device: torch.device, folder: Path) -> dict[str, Callable[[Batch], object]]:
    """Return the steps to compare; dynamic shapes show what waiting for the GPU costs. torchvision has SSD300 only."""
    sides = {
        "bare": bare_step(plan.recipe, device, compiled=plan.compiled),
        "ours": our_step(plan.recipe, device, folder, compiled=plan.compiled),
    }
    if not plan.compiled:
        sides["ours, dynamic shapes"] = our_step(plan.recipe, device, folder, static_shapes=False)
    if not plan.compiled and (model := torchvision_model(plan.spec)):
        sides["torchvision"] = torchvision_step(model, plan.precision, device)
    return sides


def measured(
    sides: dict[str, Callable[[Batch], object]], batches: list[Batch], plan: Plan, record: Record
) -> dict[str, Any]:
    """Measure one batch size; the ratio is to the bare network."""
    size = len(batches[0].images)
    times = 1 if record.options.small else max(2, min(10, 160 // size))
    works = {name: repeated(step, batches, times) for name, step in sides.items()}
    device = record.options.device
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    seconds = timed(works, device, SMALL if record.options.small else Effort())
    document = compared(seconds, size * times, "bare")
    per_image = 3 * 2 * network_cost(plan.spec).multiply_adds  # forward, and twice that backward
    for side in document.values():
        side["tflops"] = side["images_per_second"] * per_image / 1e12
    if device.type == "cuda":
        document["peak_memory_gib"] = torch.cuda.max_memory_allocated(device) / 2**30
    return document
