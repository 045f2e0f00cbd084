"""Part (b): images per second of training and inference, in order of worth."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import torch
from gpu.inference import inference, table7
from gpu.record import Options, Record
from gpu.rounds import SMALL, Effort, timed
from gpu.shards import sample
from gpu.training_speed import Plan, training

from ssd_core.data.shards import ShardSet
from ssd_core.detection.speed_modes import MODES, PLAIN, SpeedMode
from ssd_core.network.precision import Precision, has_bf16
from ssd_core.spec.paper import ssd300, ssd512
from ssd_core.spec.tiny import ssd_tiny

MATMUL = 8192
COMPILED = tuple(mode for mode in MODES if mode.compiled)


def measure(options: Options) -> dict[str, Any]:
    """Measure until the time of the part is spent."""
    record = Record("speed", options)
    torch.backends.cudnn.benchmark = True
    with tempfile.TemporaryDirectory() as scratch:
        shards, images = sample(options.data, Path(scratch))
        record.put("sample", "images", images)
        record.put("card", *matmul(options))
        first, *others = plans(options, shards)
        training(record, shards, first)
        inference(record, shards, first)
        for plan in others[:1]:
            training(record, shards, plan)
        table7(record, shards, modes=eager(options))
        for plan in others[1:]:
            training(record, shards, plan)
        table7(record, shards, modes=() if options.small else COMPILED)
    return record.content


def plans(options: Options, shards: ShardSet) -> list[Plan]:
    """Return the training measurements in order of worth."""
    if options.small:
        spec = ssd_tiny(shards.classes)
        return [Plan(name="tiny", spec=spec, batches=(4, 8), precision="fp32")]
    small, large = ssd300(shards.classes), ssd512(shards.classes)
    low: Precision = "bf16" if has_bf16(options.device) else "fp32"
    return [
        Plan(name="SSD300", spec=small, batches=(128, 32), precision=low),
        Plan(name="SSD300", spec=small, batches=(128,), precision=low, compiled=True),
        Plan(name="SSD512", spec=large, batches=(32, 8), precision=low),
        Plan(name="SSD300", spec=small, batches=(64, 8), precision=low),
        Plan(name="SSD300", spec=small, batches=(32,), precision="fp32"),
    ]


def eager(options: Options) -> tuple[SpeedMode, ...]:
    return (PLAIN,) if options.small else tuple(mode for mode in MODES if not mode.compiled)


def matmul(options: Options) -> tuple[str, dict[str, float]]:
    """Measure the card's ceiling: a product of square bf16 matrices of random numbers."""
    side = 256 if options.small else MATMUL
    left, right = (torch.randn(side, side, device=options.device).to(torch.bfloat16) for _ in range(2))
    effort = SMALL if options.small else Effort(seconds=1)
    seconds = timed({"product": lambda: left @ right}, options.device, effort)["product"]
    best = 2 * side**3 / float(seconds.min())
    return f"bf16 product of {side} x {side}", {"tflops": best / 1e12, "rounds": len(seconds)}
