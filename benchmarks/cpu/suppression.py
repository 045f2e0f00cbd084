"""From predictions to boxes on the CPU: ours and torchvision's, 8 images with many and with few candidates."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from gpu.inference import RGB, pictures
from gpu.record import Options, Record
from gpu.rounds import SMALL, Effort, compared, timed
from gpu.shards import sample
from gpu.suppression import Conversion, theirs

from ssd_core.detection.speed import Runner, quieten
from ssd_core.detection.speed_modes import PLAIN
from ssd_core.spec.paper import ssd300
from ssd_core.spec.tiny import ssd_tiny
from ssd_core.weights.initial import initial_detector

CANDIDATES = {"many candidates": 10_000, "few candidates": 200}
"""Scores per image above the threshold: an untrained network's, and about those of a trained one."""


def measure(options: Options) -> dict[str, Any]:
    """Measure both numbers of candidates; the ratio is to torchvision's conversion of the same predictions."""
    record = Record("suppression", options)
    size = 2 if options.small else 8
    with tempfile.TemporaryDirectory() as scratch, torch.no_grad():
        shards, images = sample(options.data, Path(scratch))
        record.put("sample", "images", images)
        spec = ssd_tiny(shards.classes) if options.small else ssd300(shards.classes)
        for name, candidates in CANDIDATES.items():
            detector = initial_detector(replace(spec, preprocessing=RGB), seed=0)
            shown = pictures(shards, spec, size)
            quieten(detector, shown, candidates)
            runner = Runner(detector, PLAIN, options.device)
            each = Conversion(runner=runner, predictions=runner.forward(runner.placed(shown)))
            works: dict[str, Callable[[], object]] = {"torchvision": theirs(each), "ours": each.boxes}
            effort = SMALL if options.small else Effort(seconds=15, most=200)
            record.put("suppression", name, compared(timed(works, options.device, effort), size, "torchvision"))
    return record.content
