"""The bench for speed measurements: detectors on the device, images from the shards, and recorded conditions.

Tested in tests/stages/speed/test_stages.py.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from itertools import cycle
from typing import Any

import torch
from torch import Tensor

from pipeline.errors import PipelineError
from pipeline.folder import Folder
from pipeline.stage import Context
from ssd_core.data.evaluation_stream import EvaluationBatch, evaluation_batches
from ssd_core.data.shards import ShardSet
from ssd_core.detection.limits import DetectionLimits
from ssd_core.detection.speed import Runner, Seconds, in_turns, quieten
from ssd_core.network.model import Detector
from ssd_core.weights.initial import initial_detector
from stages.shards.class_check import require_classes
from stages.speed.hardware import hardware
from stages.speed.network import Effort, Network
from stages.training.weight_files import stored_weights

RESIDENT = 32
"""Minimum number of images on the device, so that no single image with easy suppression stands for all."""

Conditions = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Settings that measuring and comparing share."""

    shards: Folder
    batches: tuple[int, ...]
    effort: Effort
    use_gpu: bool
    threads: int
    limits: DetectionLimits


@dataclass(frozen=True)
class Bench:
    """A device with images to detect in, set up for measuring."""

    setting: Setting
    device: torch.device
    shards: ShardSet
    tick: Callable[[], None]

    def detector(self, network: Network, ctx: Context) -> Detector:
        """The network on the CPU, ready to detect."""
        if network.weights is not None:
            detector = stored_weights(ctx.input(network.weights), network.weights_file).detector()
            require_classes(self.shards, detector.spec)
            return detector
        assert network.spec is not None
        detector = initial_detector(network.spec, seed=0).eval()
        quieten(detector, self.images(detector, 4), network.candidates)
        return detector

    def images(self, detector: Detector, count: int) -> Tensor:
        """The first `count` images of the shards, on the CPU; they repeat if there are fewer."""
        return next(self.stream(detector, count, batches=1)).images

    def stream(
        self, detector: Detector, batch: int, *, batches: int, loader_processes: int = 0
    ) -> Iterator[EvaluationBatch]:
        rows = [number % len(self.shards) for number in range(batch * batches)]
        return evaluation_batches(
            self.shards,
            input_size=detector.spec.input_size,
            batch_size=batch,
            rows=rows,
            loader_processes=loader_processes,
            pin_memory=self.device.type == "cuda",
        )

    def works(self, runner: Runner, batch: int, *, backbone: bool) -> dict[str, Callable[[], object]]:
        """The calls timed with images on the device; each cycles through the images independently."""
        count = -(-RESIDENT // batch) * batch
        images = self.images(runner.detector, count)
        resident = [runner.placed(images[start : start + batch]) for start in range(0, count, batch)]
        wanted: dict[str, Callable[[Tensor], object]] = {"forward": runner.forward, "detection": runner.detect}
        if backbone:
            wanted["backbone"] = runner.backbone
        return {name: partial(_next, work, cycle(resident)) for name, work in wanted.items()}

    def in_turns(self, works: Mapping[str, Callable[[], object]]) -> dict[str, Seconds]:
        effort = self.setting.effort
        return in_turns(works, self.device, warmup=effort.warmup, timed=effort.timed, after_round=self.tick)


@contextmanager
def bench_of(setting: Setting, ctx: Context, rounds: int) -> Iterator[tuple[Bench, Conditions]]:
    """The bench and the measuring conditions, which are complete on exit."""
    if setting.use_gpu and not torch.cuda.is_available():
        raise PipelineError("speed on a GPU is requested, but torch sees no GPU in this process: omit --gpus")
    done = 0

    def tick() -> None:
        nonlocal done
        done += 1
        ctx.progress(done, rounds, "batches")

    device = torch.device("cuda" if setting.use_gpu else "cpu")
    before = torch.get_num_threads()
    torch.set_num_threads(setting.threads)
    conditions = {
        "hardware": hardware(use_gpu=setting.use_gpu) | _as_torch_sees(device),
        "threads": setting.threads,
        "effort": asdict(setting.effort),
        "load_before": os.getloadavg()[0],
    }
    try:
        yield Bench(setting, device, ShardSet(setting.shards.path, setting.shards.filesystem), tick), conditions
    finally:
        torch.set_num_threads(before)
        conditions["load_after"] = os.getloadavg()[0]


def _as_torch_sees(device: torch.device) -> dict[str, str]:
    """The GPU measured on, one of those in the machine, and its library versions."""
    if device.type != "cuda":
        return {}
    cudnn: Any = torch.backends.cudnn
    return {
        "gpu": torch.cuda.get_device_name(device),
        "cuda": str(torch.version.cuda),
        "cudnn": str(cudnn.version()),
    }


def _next(work: Callable[[Tensor], object], images: Iterator[Tensor]) -> object:
    return work(next(images))
