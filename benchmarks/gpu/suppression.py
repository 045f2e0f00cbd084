"""Decoding and suppression on the device: in fixed or dynamic shapes, by kernels, as a CUDA graph, by torchvision.

All sides convert the same predictions, those of random weights with about 1,000 candidates an image. The share of the
forward pass is what the whole path from images to boxes takes more than the network alone, in turns. "kernels, CUDA
graph" is the default on a GPU. Profiles list the kernels that take the most time.
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
from ssd_core.detection.fused import packed_detections
from ssd_core.detection.graphed import Arguments, GraphedDetections
from ssd_core.detection.limits import PAPER_LIMITS
from ssd_core.detection.packing import Packed, pack
from ssd_core.detection.speed import Runner, Seconds, arithmetic
from ssd_core.detection.speed_modes import SpeedMode
from ssd_core.detection.static_suppression import static_detections
from ssd_core.network.precision import has_bf16
from ssd_core.spec.paper import ssd300
from ssd_core.spec.tiny import ssd_tiny

TOLERANCE = 1e-3
"""Share of detections that may differ from the CPU's: rounding moves overlaps over the threshold."""

DEFAULT = "kernels, CUDA graph"

MOST_KERNELS = 15

PROFILED = (8, 32)
"""Batch sizes of which the kernels are listed."""


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
            for size in PROFILED if options.device.type == "cuda" else ():
                if record.has_time("kernels", f"batch {size}", 15):
                    profiled(record, runner, runner.placed(pictures(shards, runner.detector.spec, size)))
    return record.content


def network(options: Options, shards: ShardSet) -> tuple[Runner, SpeedMode]:
    spec = ssd_tiny(shards.classes) if options.small else ssd300(shards.classes)
    mode = SpeedMode(precision="bf16" if has_bf16(options.device) and not options.small else "fp32", channels_last=True)
    detector = quiet_detector(replace(spec, preprocessing=RGB), shards, options.device)
    return Runner(detector, mode, options.device), mode


@dataclass(frozen=True, kw_only=True)
class Conversion:
    """Arguments of one batch, and how sides convert them to boxes."""

    runner: Runner
    predictions: tuple[Tensor, Tensor]

    def boxes(self, predictions: tuple[Tensor, Tensor] | None = None, **how: Any) -> Detections:
        locations, logits = predictions or self.predictions
        detector = self.runner.detector
        boxes = detector.default_boxes.to(logits.device)
        return detections(locations, logits, boxes, detector.spec.variances, PAPER_LIMITS, **how)

    def arguments(self) -> Arguments:
        locations, logits = self.predictions
        detector = self.runner.detector
        return Arguments(locations, logits, detector.default_boxes, detector.spec.variances, PAPER_LIMITS)

    def ways(self) -> dict[str, dict[str, Any]]:
        """Return the arguments of `detections` by name; first those that a CPU has too."""
        ways: dict[str, dict[str, Any]] = {
            "fixed shapes": {"static_shapes": True, "first": lambda *given: by_torch(*given).read()},
            "dynamic shapes": {"static_shapes": False},
        }
        if self.runner.device.type == "cuda":
            ways["kernels"] = {"static_shapes": True, "first": lambda *given: packed_detections(*given).read()}
            former = GraphedDetections(self.arguments(), compute=by_torch)
            ways["fixed shapes, CUDA graph"] = {
                "static_shapes": True,
                "first": lambda *given: former(*given).read(),
            }
            ways[DEFAULT] = {}
        return ways


def by_torch(locations: Tensor, logits: Tensor, *others: Any) -> Packed:
    """Return the detections among the first candidates by torch's operators."""
    return pack(static_detections(locations.float(), logits.float(), *others), others[-1].per_image)


def of_batch(record: Record, runner: Runner, images: Tensor) -> None:
    name, options = f"batch {len(images)}", record.options
    each = Conversion(runner=runner, predictions=runner.forward(images))
    ways = each.ways()
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
    _, complete = packed_detections(*each.arguments()).read()
    return float(np.mean(complete))


def profiled(record: Record, runner: Runner, images: Tensor) -> None:
    """List the kernels of the default suppression and of the forward pass, and what a graph holds in memory."""
    each, name = Conversion(runner=runner, predictions=runner.forward(images)), f"batch {len(images)}"
    before = torch.cuda.memory_allocated()
    graph = GraphedDetections(each.arguments())
    record.put("memory of a graph, MiB", name, (torch.cuda.memory_allocated() - before) / 2**20)
    record.put("kernels of the suppression", name, kernels(lambda: graph(*each.arguments())))
    record.put("kernels of the forward pass", name, kernels(partial(runner.forward, images)))


def kernels(work: Callable[[], object], times: int = 20) -> list[dict[str, Any]]:
    """Return the kernels that take the most time, their time and number a call, and the sum over all."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
        for _ in range(times):
            work()
        torch.cuda.synchronize()
    entries = [
        {"kernel": entry.key[:120], "us": entry.self_device_time_total / times, "calls": entry.count / times}
        for entry in profile.key_averages()
        if entry.self_device_time_total
    ]
    entries.sort(key=lambda entry: -entry["us"])
    total = {"kernel": "all", **{key: sum(entry[key] for entry in entries) for key in ("us", "calls")}}
    return [total, *entries[:MOST_KERNELS]]
