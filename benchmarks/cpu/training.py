"""Training steps on the CPU: ours in fp32 and bf16, the bare network, torchvision's SSD300, in turns."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from gpu.record import Options, Record
from gpu.rounds import SMALL, Effort, compared, timed
from gpu.shards import resident, sample
from gpu.steps import SCHEDULE, bare_step, our_step, torchvision_model, torchvision_step

from ssd_core.data.shards import ShardSet
from ssd_core.data.training_stream import Batch
from ssd_core.spec.detector import DetectorSpec
from ssd_core.spec.paper import ssd300
from ssd_core.spec.recipe import Recipe
from ssd_core.spec.tiny import ssd_tiny


@dataclass(frozen=True, kw_only=True)
class Case:
    """A network, and the conditions of its steps."""

    name: str
    spec: DetectorSpec
    batch: int
    threads: int
    effort: Effort


def measure(options: Options) -> dict[str, Any]:
    """Measure the cases in turn; the ratio is to the bare network in fp32."""
    record = Record("training", options)
    threads = torch.get_num_threads()
    try:
        with tempfile.TemporaryDirectory() as scratch:
            shards, images = sample(options.data, Path(scratch) / "images")
            record.put("sample", "images", images)
            for case in cases(shards.classes, options):
                torch.set_num_threads(case.threads)
                record.put("training", case.name, measured(case, shards, Path(scratch) / case.name))
    finally:
        torch.set_num_threads(threads)
    return record.content


def cases(classes: tuple[str, ...], options: Options) -> list[Case]:
    tiny = Effort(seconds=20, fewest=30, most=100, warmup=3)
    small = Case(name="tiny, batch 4, one thread", spec=ssd_tiny(classes), batch=4, threads=1, effort=tiny)
    if options.small:
        return [Case(name="tiny", spec=small.spec, batch=4, threads=1, effort=SMALL)]
    large = Effort(seconds=options.seconds / 2, fewest=3, most=5, warmup=1)
    name = f"SSD300, batch 8, {torch.get_num_threads()} threads"
    return [small, Case(name=name, spec=ssd300(classes), batch=8, threads=torch.get_num_threads(), effort=large)]


def measured(case: Case, shards: ShardSet, folder: Path) -> dict[str, Any]:
    device = torch.device("cpu")
    recipe = Recipe(spec=case.spec, batch_size=case.batch, schedule=SCHEDULE)
    (batch,) = resident(shards, recipe, 1)
    works = {name: partial(step, batch) for name, step in sides(recipe, device, folder).items()}
    return compared(timed(works, device, case.effort), case.batch, "bare")


def sides(recipe: Recipe, device: torch.device, folder: Path) -> dict[str, Callable[[Batch], object]]:
    low = replace(recipe, precision="bf16")
    steps = {
        "bare": bare_step(recipe, device),
        "ours": our_step(recipe, device, folder / "fp32"),
        "bare, bf16": bare_step(low, device),
        "ours, bf16": our_step(low, device, folder / "bf16"),
    }
    if model := torchvision_model(recipe.spec):
        steps["torchvision"] = torchvision_step(model, recipe.precision, device)
    return steps
