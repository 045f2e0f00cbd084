"""Images per second of detection: our network with its stages apart, torchvision's, and the protocol of Table 7."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import cycle, islice, product
from typing import Any

import torch
from gpu.record import Record
from gpu.rounds import SMALL, Effort, compared, speed_of, timed
from gpu.training_speed import Plan
from learning_sides import torchvision_ssd
from torch import Tensor

from ssd_core.data.evaluation_stream import evaluation_batches
from ssd_core.data.shards import ShardSet
from ssd_core.detection.speed import Runner, arithmetic, quieten, stream_seconds, unsupported_reason
from ssd_core.detection.speed_modes import SpeedMode
from ssd_core.network.model import Detector
from ssd_core.spec.detector import DetectorSpec, Preprocessing
from ssd_core.spec.paper import ssd300, ssd512
from ssd_core.spec.tiny import ssd_tiny
from ssd_core.weights.initial import initial_detector

CANDIDATES = 1000
"""Scores per image above the threshold, which determine the work of the suppression."""

RGB = Preprocessing(channel_order="rgb", mean=(123.0, 117.0, 104.0))
"""The only order that torchvision's class takes; the speed is that of BGR but for one flip."""


def inference(record: Record, shards: ShardSet, plan: Plan) -> None:
    """Measure each batch size: forward pass, forward pass to boxes, and torchvision's class around the same layers."""
    options = record.options
    mode = SpeedMode(precision=plan.precision, channels_last=True)
    detector = quiet_detector(replace(plan.spec, preprocessing=RGB), shards, options.device)
    runner, theirs = Runner(detector, mode, options.device), torchvision_ssd(detector)
    theirs.to(options.device).eval()
    for batch in (1, 2) if options.small else (8, 32, 128, 1):
        name = f"batch {batch}"
        if not record.has_time(f"inference {plan.name} {mode.name}", name, 6):
            continue
        images = runner.placed(pictures(shards, plan.spec, batch))
        works: dict[str, Callable[[], object]] = {
            "forward": partial(runner.forward, images),
            "to boxes": partial(runner.detect, images),
            "torchvision to boxes": partial(torchvision_boxes, theirs, images),
        }
        with arithmetic(mode, options.device):
            seconds = timed(works, options.device, SMALL if options.small else Effort(seconds=3, most=100))
        document = compared(seconds, batch, "forward")
        document["suppression / forward"] = 1 / document["to boxes"]["of forward"] - 1
        document["to boxes, ours / torchvision"] = (
            document["to boxes"]["images_per_second"] / document["torchvision to boxes"]["images_per_second"]
        )
        record.put(f"inference {plan.name} {mode.name}", name, document)


def torchvision_boxes(model: Any, images: Tensor) -> object:
    return model(list(images / 255))


def table7(record: Record, shards: ShardSet, *, modes: Sequence[SpeedMode]) -> None:
    """Measure the paper's protocol at batches 8 and 1, once each mode is known to be supported."""
    options = record.options
    for mode, (network, build) in product(modes, networks(options.small).items()):
        name = f"{network} {mode.name}"
        if reason := unsupported_reason(mode, options.device):
            record.put("skipped", f"table 7: {name}", reason)
        elif record.has_time("table 7", name, 45 if mode.compiled else 8):
            runner = Runner(quiet_detector(build(shards.classes), shards, options.device), mode, options.device)
            try:
                for batch in (8,) if mode.compiled else (8, 1):  # each batch size is compiled anew
                    record.put("table 7", f"{name} batch {batch}", protocols(record, runner, mode, shards, batch))
            except RuntimeError as error:  # torch.compile fails
                record.put("failed", f"table 7: {name}", str(error)[:500])


def networks(small: bool) -> dict[str, Callable[[tuple[str, ...]], DetectorSpec]]:
    return {"tiny": ssd_tiny} if small else {"SSD300": ssd300, "SSD512": ssd512}


def protocols(record: Record, runner: Runner, mode: SpeedMode, shards: ShardSet, batch: int) -> dict[str, Any]:
    """Measure end to end, detection and forward pass; see ssd_core/detection/speed.py."""
    small = record.options.small
    images = runner.placed(pictures(shards, runner.detector.spec, 32))
    waiting = {name: cycle(torch.split(images, batch)) for name in ("detection", "forward")}
    works: dict[str, Callable[[], object]] = {
        "detection": lambda: runner.detect(next(waiting["detection"])),
        "forward": lambda: runner.forward(next(waiting["forward"])),
    }
    with arithmetic(mode, runner.device):
        seconds = timed(works, runner.device, SMALL if small else Effort(seconds=1, most=200))
        warmup, rounds = (1, 2) if small else (10, 100)
        stream = evaluation_batches(
            shards,
            input_size=runner.detector.spec.input_size,
            batch_size=batch,
            rows=list(islice(cycle(range(len(shards))), batch * (warmup + rounds))),
            loader_processes=0 if small else 8,
            pin_memory=runner.device.type == "cuda",
        )
        seconds["end to end"] = stream_seconds(
            lambda item: runner.detect(runner.placed(item.images)),
            stream,
            warmup=warmup,
            timed=rounds,
            after_batch=lambda: None,
        )
    return {name: speed_of(values, batch) for name, values in seconds.items()}


def quiet_detector(spec: DetectorSpec, shards: ShardSet, device: torch.device) -> Detector:
    """Return random weights with about `CANDIDATES` scores per image above the threshold."""
    detector = initial_detector(spec, seed=0).to(device).eval()
    quieten(detector, pictures(shards, spec, 4).to(device), CANDIDATES)
    return detector


def pictures(shards: ShardSet, spec: DetectorSpec, count: int) -> Tensor:
    """Return the first images of the shards at the input size, repeated if there are fewer."""
    rows = list(islice(cycle(range(len(shards))), count))
    return next(evaluation_batches(shards, input_size=spec.input_size, batch_size=count, rows=rows)).images
