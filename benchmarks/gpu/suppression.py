"""Decoding and suppression on the device: in fixed or dynamic shapes, as a CUDA graph, compiled, by torchvision.

All sides convert the same predictions, those of random weights with about 1,000 candidates an image. The share of the
forward pass is what the whole path from images to boxes takes more than the network alone, in turns.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gpu.comparison import same_detections
from gpu.inference import RGB, pictures, quiet_detector
from gpu.record import Options, Record
from gpu.rounds import SMALL, Effort, spread, timed
from gpu.shards import sample
from learning_sides import torchvision_ssd
from torch import Tensor

from ssd_core.boxes.frames import to_xyxy
from ssd_core.data.shards import ShardSet
from ssd_core.detection.decoding import Detections, detections
from ssd_core.detection.graphed import GraphedDetections
from ssd_core.detection.limits import PAPER_LIMITS
from ssd_core.detection.speed import Runner, Seconds, arithmetic
from ssd_core.detection.speed_modes import SpeedMode
from ssd_core.detection.static_suppression import static_detections
from ssd_core.network.precision import has_bf16
from ssd_core.spec.paper import ssd300
from ssd_core.spec.tiny import ssd_tiny

TOLERANCE = 1e-3
"""Share of detections that may differ from the CPU's: rounding moves overlaps over the threshold."""

COMPILED = 8
"""Batch size at which the compiled suppression is measured; each takes half a minute of compilation."""


def measure(options: Options) -> dict[str, Any]:
    """Measure the batch sizes in order of worth."""
    record = Record("suppression", options)
    torch.backends.cudnn.benchmark = True
    with tempfile.TemporaryDirectory() as scratch:
        shards, images = sample(options.data, Path(scratch))
        record.put("sample", "images", images)
        runner, mode = network(options, shards)
        with arithmetic(mode, options.device):
            for size in (1, 2) if options.small else (8, 1, 32, 128):
                if record.has_time("suppression", f"batch {size}", 10):
                    shown = runner.placed(pictures(shards, runner.detector.spec, size))
                    of_batch(record, runner, shown)
            if options.device.type == "cuda" and record.has_time("compiled", f"batch {COMPILED}", 45):
                compiled(record, runner, runner.placed(pictures(shards, runner.detector.spec, COMPILED)))
    return record.content


def network(options: Options, shards: ShardSet) -> tuple[Runner, SpeedMode]:
    spec = ssd_tiny(shards.classes) if options.small else ssd300(shards.classes)
    mode = SpeedMode(precision="bf16" if has_bf16(options.device) and not options.small else "fp32", channels_last=True)
    detector = quiet_detector(replace(spec, preprocessing=RGB), shards, options.device)
    return Runner(detector, mode, options.device), mode


@dataclass(frozen=True, kw_only=True)
class Conversion:
    """Predictions of one batch, and how sides convert them to boxes."""

    runner: Runner
    predictions: tuple[Tensor, Tensor]

    def boxes(self, predictions: tuple[Tensor, Tensor] | None = None, **how: Any) -> Detections:
        locations, logits = predictions or self.predictions
        detector = self.runner.detector
        boxes = detector.default_boxes.to(logits.device)
        return detections(locations, logits, boxes, detector.spec.variances, PAPER_LIMITS, **how)

    def graph(self) -> GraphedDetections:
        locations, logits = (values.float() for values in self.predictions)
        detector = self.runner.detector
        return GraphedDetections(locations, logits, detector.default_boxes, detector.spec.variances, PAPER_LIMITS)


def of_batch(record: Record, runner: Runner, images: Tensor) -> None:
    name, options = f"batch {len(images)}", record.options
    each = Conversion(runner=runner, predictions=runner.forward(images))
    ways: dict[str, dict[str, Any]] = {
        "fixed shapes": {"static_shapes": True},
        "dynamic shapes": {"static_shapes": False},
    }
    if options.device.type == "cuda":
        try:
            ways["fixed shapes, CUDA graph"] = {"static_shapes": True, "first": each.graph()}
        except RuntimeError as error:
            record.put("failed", f"CUDA graph, {name}", str(error)[:500])
    locations, logits = (values.cpu().float() for values in each.predictions)
    expected = each.boxes((locations, logits), static_shapes=False)
    for way, how in ways.items():
        check = same_detections(each.boxes(**how), expected, TOLERANCE)
        record.content["all_passed"] = record.content.get("all_passed", True) and check.passed
        record.put("detections, against the CPU's of equal predictions", f"{name}, {way}", check.document())
    works: dict[str, Callable[[], object]] = {"forward": partial(runner.forward, images)}
    works |= {way: partial(each.boxes, **how) for way, how in ways.items()}
    works |= {f"to boxes, {way}": partial(to_boxes, each, images, how) for way, how in ways.items()}
    works["torchvision"] = theirs(each)
    document = shares(timed(works, options.device, SMALL if options.small else Effort(seconds=3, most=100)))
    document["images whose first candidates suffice"] = complete_share(each)
    record.put("suppression", name, document)


def to_boxes(each: Conversion, images: Tensor, how: dict[str, Any]) -> Detections:
    return each.boxes(each.runner.forward(images), **how)


def theirs(each: Conversion) -> Callable[[], object]:
    """Return torchvision's conversion of the same predictions."""
    detector = each.runner.detector
    ssd, size = torchvision_ssd(detector).to(each.runner.device).eval(), detector.spec.input_size
    locations, logits = (values.float() for values in each.predictions)
    outputs = {"bbox_regression": locations, "cls_logits": logits}
    anchors, count = to_xyxy(detector.default_boxes) * size, len(logits)
    return lambda: ssd.postprocess_detections(outputs, [anchors] * count, [(size, size)] * count)


def shares(seconds: dict[str, Seconds]) -> dict[str, Any]:
    """Return times in ms, and shares of the forward pass: of the conversion alone, and of what it adds to the whole."""
    document: dict[str, Any] = {}
    for name, values in seconds.items():
        ratios = values / seconds["forward"] - name.startswith("to boxes")
        document[name] = {
            "ms": float(np.median(values)) * 1e3,
            "spread of ms": spread(values * 1e3),
            "share of forward": float(np.median(ratios)),
            "spread of share": spread(ratios),
            "rounds": len(values),
        }
    return document


def complete_share(each: Conversion) -> float:
    locations, logits = (values.float() for values in each.predictions)
    detector = each.runner.detector
    kept = static_detections(locations, logits, detector.default_boxes, detector.spec.variances, PAPER_LIMITS)
    return float(kept.complete.float().mean())


def compiled(record: Record, runner: Runner, images: Tensor) -> None:
    """Measure the suppression by torch.compile, which fuses its element-wise kernels."""
    each = Conversion(runner=runner, predictions=runner.forward(images))
    how: dict[str, Any] = {"static_shapes": True, "first": torch.compile(static_detections, dynamic=False)}
    try:
        check = same_detections(each.boxes(**how), each.boxes(static_shapes=True), TOLERANCE)
        record.put("compiled", "against the same uncompiled", check.document())
        works: dict[str, Callable[[], object]] = {
            "forward": partial(runner.forward, images),
            "fixed shapes": partial(each.boxes, static_shapes=True),
            "compiled": partial(each.boxes, **how),
            "to boxes, compiled": partial(to_boxes, each, images, how),
        }
        record.put("compiled", f"batch {len(images)}", shares(timed(works, record.options.device, Effort(seconds=3))))
    except Exception as error:  # a compiler fails in many ways
        record.put("failed", "compiled suppression", str(error)[:500])
