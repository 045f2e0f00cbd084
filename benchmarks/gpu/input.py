"""Part (c): augmented images per second by number of loader processes, and whether a training waits for them."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from typing import Any

import torch
from gpu.record import Options, Record
from gpu.shards import resident, sample
from gpu.trainings import Curve, trainer_of

from ssd_core.data.shards import ShardSet
from ssd_core.data.training_stream import Batch, training_batches
from ssd_core.network.precision import Precision, has_bf16
from ssd_core.spec.augmentation import PAPER, STARRED
from ssd_core.spec.paper import ssd300
from ssd_core.spec.recipe import Recipe
from ssd_core.spec.schedule import Schedule
from ssd_core.spec.tiny import ssd_tiny
from ssd_core.training.trainer import Pace

PROCESSES = (8, 16, 12, 4, 2, 1, 0)
SECONDS = 4.0
"""Time of one measurement of the input alone."""

IMAGES = 6400
"""Images of one training."""


def measure(options: Options) -> dict[str, Any]:
    """Measure trainings first, then the input alone."""
    record = Record("input", options)
    torch.backends.cudnn.benchmark = True
    with tempfile.TemporaryDirectory() as scratch:
        shards, images = sample(options.data, Path(scratch))
        record.put("sample", "images", images)
        base = recipe(options, shards)
        for batch in (4,) if options.small else (32, 64):
            fed(record, shards, replace(base, batch_size=batch))
        for processes in (0, 1) if options.small else PROCESSES:
            for name, augmentation in (("paper", PAPER), ("starred", STARRED)):
                if record.has_time("input alone", f"{name}, {processes} processes", SECONDS + 2):
                    value = alone(shards, replace(base, augmentation=augmentation), processes, options)
                    record.put("input alone", f"{name}, {processes} processes", value)
    return record.content


def recipe(options: Options, shards: ShardSet) -> Recipe:
    """Return the recipe of all trainings: SSD300 in bf16 where the device has it, with weights that hardly move."""
    spec = ssd_tiny(shards.classes) if options.small else ssd300(shards.classes)
    precision: Precision = "bf16" if has_bf16(options.device) and not options.small else "fp32"
    return Recipe(spec=spec, precision=precision, batch_size=4 if options.small else 32)


def fed(record: Record, shards: ShardSet, recipe: Recipe) -> None:
    """Measure trainings fed by loader processes, and by batches that are on the device already."""
    group = f"training {recipe.precision}, batch {recipe.batch_size}"
    options = record.options
    here = [batch.to(options.device) for batch in resident(shards, recipe, 4, 0 if options.small else 8)]
    ceiling = trained(recipe, cycle(here), options)
    record.put(group, "resident batches", ceiling)
    for processes in (0, 1) if options.small else (8, 12, 16):
        if record.has_time(group, f"{processes} processes", 12):
            batches = training_batches(
                shards, recipe, loader_processes=processes, pin_memory=options.device.type == "cuda"
            )
            value = trained(recipe, batches, options)
            value["of resident batches"] = value["images_per_second"] / ceiling["images_per_second"]
            record.put(group, f"{processes} processes", value)


def trained(recipe: Recipe, batches: Iterator[Batch], options: Options) -> dict[str, float]:
    """Train with the real Trainer, and summarise its reports after the first fifth."""
    steps = 5 if options.small else IMAGES // recipe.batch_size
    schedule = Schedule(iterations=steps, base_lr=1e-7, drops=())
    curve = Curve()
    with tempfile.TemporaryDirectory() as work:
        pace = Pace(log_steps=max(1, steps // 10))
        trainer = trainer_of(replace(recipe, schedule=schedule), options.device, Path(work), curve, pace)
        trainer.run(batches)
    points = curve.points[len(curve.points) // 5 :]
    rates = [point["throughput/images_per_second"] for point in points]
    seconds = [1 / rate for rate in rates]  # of an image; every point has equally many
    waits = [point["throughput/data_wait_share"] * each for point, each in zip(points, seconds, strict=True)]
    return {
        "images_per_second": len(points) / sum(seconds),
        "slowest": min(rates),
        "fastest": max(rates),
        "share of time waiting for input": sum(waits) / sum(seconds),
    }


def alone(shards: ShardSet, recipe: Recipe, processes: int, options: Options) -> dict[str, Any]:
    """Count the images of the loader in `SECONDS`, after a first batch of every process."""
    batches = training_batches(shards, recipe, loader_processes=processes)
    for _ in range(max(1, processes)):
        next(batches)
    began, images = time.perf_counter(), 0
    limit = 0.0 if options.small else SECONDS
    while not images or time.perf_counter() - began < limit:
        images += len(next(batches).images)
    rate = images / (time.perf_counter() - began)
    return {"images_per_second": rate, "per process": rate / max(1, processes), "cores": os.cpu_count()}
