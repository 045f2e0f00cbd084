"""What GroupNorm costs a training on the device: the bare network with it and without, by layout and precision.

In float32 with TF32 in convolutions, in bf16 by autocast, which computes GroupNorm in float32. "former copies" is
GroupNorm as until 2026-11-27; "GroupNorm in bf16" lets torch compute it in bf16, with statistics rounded to bf16.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from gpu.learning import recipe_of
from gpu.record import Options, Record
from gpu.rounds import SMALL, Effort, compared, timed
from gpu.shards import resident, sample
from gpu.steps import SCHEDULE, bare_step, our_step, repeated
from torch import Tensor, nn

from ssd_core.backbones.layers import GroupNorm
from ssd_core.data.training_stream import Batch
from ssd_core.network.model import Detector
from ssd_core.spec.recipe import Recipe

COMPILATION = 50.0
"""About the time of compiling one network with its gradients."""


def measure(options: Options) -> dict[str, Any]:
    """Measure the compiled steps last, since they take longest to start."""
    record = Record("groupnorm", options)
    torch.backends.cudnn.benchmark = True
    with tempfile.TemporaryDirectory() as scratch, tempfile.TemporaryDirectory() as work:
        shards, images = sample(options.data, Path(scratch))
        record.put("sample", "images", images)
        # that of the part `learning`, which then finds the compiled network in the compiler's cache
        whole = recipe_of(shards.classes, options.device, small=options.small)
        recipe = replace(whole, schedule=SCHEDULE, compiled=False)
        batches = [batch.to(options.device) for batch in resident(shards, recipe, 2, 0 if options.small else 8)]
        if record.has_time("training", "eager", 25):
            measured(record, "training", eager(recipe, options), batches)
        steps: dict[str, Callable[..., Callable[[Batch], object]]] = {
            "bare, compiled": bare_step,
            "ours, compiled": partial(our_step, folder=Path(work)),
        }
        for name, build in steps.items():
            if options.device.type == "cuda" and record.has_time("compiled", name, COMPILATION):
                sides = {"bare": bare_step(recipe, options.device), name: build(recipe, options.device, compiled=True)}
                measured(record, f"compiled: {name}", sides, batches)
    return record.content


def eager(recipe: Recipe, options: Options) -> dict[str, Callable[[Batch], object]]:
    """Return the steps to compare, by name; the reference first."""
    bare, device = partial(bare_step, device=options.device), options.device
    sides = {
        "bare": bare(recipe),
        "without GroupNorm": bare(replace(recipe, spec=replace(recipe.spec, norm_groups=0))),
        "former copies": bare(recipe, alter=partial(exchange, kind=FormerGroupNorm)),
        "contiguous": bare(recipe, layout=torch.contiguous_format),
    }
    if recipe.precision == "bf16":
        sides["GroupNorm in bf16"] = bare(recipe, alter=partial(exchange, kind=LowGroupNorm))
        sides["fp32"] = bare(replace(recipe, precision="fp32"))
    if device.type == "cuda":
        torch.backends.cudnn.allow_tf32 = True
    return sides


def measured(record: Record, group: str, sides: dict[str, Callable[[Batch], object]], batches: list[Batch]) -> None:
    """Measure the sides in turns; a failure is recorded, and the next group goes on."""
    small, size = record.options.small, len(batches[0].images)
    times = 1 if small else 4
    works = {name: repeated(step, batches, times) for name, step in sides.items()}
    try:
        seconds = timed(works, record.options.device, SMALL if small else Effort(seconds=6))
        record.put(group, f"batch {size}", compared(seconds, size * times, "bare"))
    except RuntimeError as error:
        record.put("failed", group, str(error)[:500])


def exchange(detector: Detector, kind: type[GroupNorm]) -> None:
    """Let all GroupNorm layers compute in another way, with the same parameters."""
    for layer in detector.modules():
        if isinstance(layer, GroupNorm):
            layer.__class__ = kind


class FormerGroupNorm(GroupNorm):
    """A copy before and after, whose result stays in float32 under autocast."""

    def forward(self, features: Tensor) -> Tensor:
        normalised = nn.GroupNorm.forward(self, features.contiguous())
        return normalised.contiguous(memory_format=torch.channels_last)


class LowGroupNorm(GroupNorm):
    """GroupNorm in the precision of the maps."""

    def forward(self, features: Tensor) -> Tensor:
        with torch.autocast(features.device.type, enabled=False):
            weight, bias = self.weight.to(features.dtype), self.bias.to(features.dtype)
            maps = features.contiguous()
            normalised = nn.functional.group_norm(maps, self.num_groups, weight, bias, self.eps)
        return normalised.contiguous(memory_format=torch.channels_last)
