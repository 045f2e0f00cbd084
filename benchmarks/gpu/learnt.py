"""Detections of a detector that has learnt a few images by heart: the GPU against the CPU, bf16 against fp32.

Random weights score all boxes nearly alike, so that the smallest rounding exchanges detections. Confident ones must
agree.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import replace
from itertools import cycle
from pathlib import Path

import torch
from gpu.comparison import Check, same_detections
from gpu.trainings import trainer_of
from torch import Tensor

from ssd_core.data.training_stream import Batch
from ssd_core.detection.decoding import Detections, detect
from ssd_core.network.model import Detector
from ssd_core.network.precision import Precision, autocast, has_bf16
from ssd_core.spec.recipe import Recipe
from ssd_core.spec.schedule import Schedule
from ssd_core.training.trainer import Pace

STEPS = 400
RATE = 4e-4
LEAST = 0.3
"""Score from which a detection must have a partner."""

FP32 = 0.01
BF16 = 0.05
"""Share of confident detections without a partner; in bf16 a partner's score is within 0.1, its corners within 0.05."""


def learnt_checks(
    recipe: Recipe, batches: Sequence[Batch], device: torch.device, small: bool
) -> Iterator[tuple[str, Check]]:
    """Train on the same few batches again and again, then compare the detections in the first."""
    if small:
        batches, steps, rate, least = batches[:1], 60, 1e-3, 0.1
    else:
        steps, rate, least = STEPS, RATE, LEAST
    detector = learnt(recipe, batches, device, Schedule(iterations=steps, base_lr=rate, drops=(), warmup=steps // 10))
    images = batches[0].images
    exact = found(detector, images.to(device), "fp32")
    reference = found(deepcopy(detector).cpu(), images, "fp32")
    yield "confident detections, fp32", same_detections(exact, reference, FP32, score=1e-2, box=1e-2, least=least)
    if has_bf16(device):
        low = found(detector, images.to(device), "bf16")
        yield (
            "confident detections, bf16 against fp32",
            same_detections(low, exact, BF16, score=0.1, box=0.05, least=least),
        )


def learnt(recipe: Recipe, batches: Sequence[Batch], device: torch.device, schedule: Schedule) -> Detector:
    """Train from random weights with AdamW, in bf16 where the device has it."""
    recipe = replace(
        recipe,
        optimiser="adamw",
        precision="bf16" if has_bf16(device) else "fp32",
        schedule=schedule,
    )
    with tempfile.TemporaryDirectory() as work:
        trainer = trainer_of(recipe, device, Path(work), pace=Pace())
        return trainer.run(cycle(batches)).eval()


def found(detector: Detector, images: Tensor, precision: Precision) -> Detections:
    with autocast(precision, images.device):
        return detect(detector, images)
