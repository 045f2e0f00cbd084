"""Inference time of a detector (paper section 3.7, Table 7), under several protocols.

    end_to_end   images are read, decoded and resized, then detected; the paper's protocol (ssd_pascal_speed.py measures
                 the wall time of a whole test pass, batch 8)
    detection    images are already on the device: network, decoding, suppression
    forward      the network alone
    backbone     the backbone within the network, whose share of the time the paper reports

Workloads that are compared take turns in every round, so that changes in the machine's load affect all of them. On a
GPU, times come from CUDA events. All times are seconds per batch.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Shaped
from numpy import ndarray
from torch import Tensor

from ssd_core.detection.decoding import Detections, detections
from ssd_core.detection.limits import PAPER_LIMITS, DetectionLimits
from ssd_core.detection.predicting import predict
from ssd_core.detection.speed_modes import SpeedMode
from ssd_core.network.model import Detector, Head
from ssd_core.network.precision import autocast, has_bf16

Seconds = Float[ndarray, " R"]
"""Seconds of each timed round."""

Work = Callable[[], object]


@dataclass(frozen=True, kw_only=True)
class Speed:
    """Speed of a workload."""

    images_per_second: float
    """Total images over total time, as for a pass over a test set."""

    p50_ms: float
    """Median time of a batch."""

    p90_ms: float

    @classmethod
    def of(cls, seconds: Seconds, batch: int) -> Speed:
        middle, slow = np.percentile(seconds, [50, 90]) * 1e3
        return cls(
            images_per_second=batch * len(seconds) / float(seconds.sum()), p50_ms=float(middle), p90_ms=float(slow)
        )


def unsupported_reason(mode: SpeedMode, device: torch.device) -> str:
    """Return why a device does not support this mode; empty if it does."""
    if mode.precision == "bf16" and not has_bf16(device):
        return f"this {device.type} device has no bf16 hardware"
    if mode.precision == "tf32" and (device.type != "cuda" or torch.cuda.get_device_capability(device) < (8, 0)):
        return "TF32 requires an NVIDIA GPU from Ampere on"
    return ""


@contextmanager
def arithmetic(mode: SpeedMode, device: torch.device) -> Iterator[None]:
    """Context in which workloads of this mode run; cuDNN benchmarks its kernels; settings are restored at exit."""
    cudnn = torch.backends.cudnn
    before = cudnn.allow_tf32, cudnn.benchmark
    cudnn.allow_tf32, cudnn.benchmark = mode.precision != "fp32", True
    try:
        with torch.no_grad(), autocast("bf16" if mode.precision == "bf16" else "fp32", device):
            yield
    finally:
        cudnn.allow_tf32, cudnn.benchmark = before


class Runner:
    """A detector on a device, in the memory layout of a mode, and compiled if the mode says so.

    Call its methods inside `arithmetic`. The given detector is moved, not copied.
    """

    def __init__(
        self, detector: Detector, mode: SpeedMode, device: torch.device, limits: DetectionLimits = PAPER_LIMITS
    ) -> None:
        self.device, self.limits = device, limits
        self.layout = torch.channels_last if mode.channels_last else torch.contiguous_format
        self.detector = detector.to(device).to(memory_format=self.layout).eval()
        self.network: Any = torch.compile(detector) if mode.compiled else detector

    def placed(self, images: Shaped[Tensor, "B 3 S S"]) -> Shaped[Tensor, "B 3 S S"]:
        """Return the images on the device, in the mode's memory layout."""
        return images.to(self.device, non_blocking=True).contiguous(memory_format=self.layout)

    def forward(self, images: Shaped[Tensor, "B 3 S S"]) -> tuple[Tensor, Tensor]:
        locations, logits = self.network(images)
        return locations, logits

    def backbone(self, images: Shaped[Tensor, "B 3 S S"]) -> Tensor:
        """Return the features of the backbone's last layer; never compiled."""
        last = list(self.detector.spec.backbone.cells(self.detector.spec.input_size))[-1]
        features: Tensor = self.detector.preprocess(images)
        for layer, part in self.detector.features.items():
            features = part(features)
            if layer == last:
                break
        return features

    def detect(self, images: Shaped[Tensor, "B 3 S S"]) -> Detections:
        predicted = predict(self.forward, images, self.detector.default_boxes, flip=self.limits.flip)
        return detections(*predicted, self.detector.spec.variances, self.limits)


def in_turns(
    works: Mapping[str, Work], device: torch.device, *, warmup: int, timed: int, after_round: Work = lambda: None
) -> dict[str, Seconds]:
    """Measure each workload once per round, in `timed` rounds after `warmup` rounds that are discarded."""
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(warmup + timed):
        for name, work in works.items():
            seconds[name].append(_seconds(work, device))
        after_round()
    return {name: np.array(values[warmup:]) for name, values in seconds.items()}


def relative_to_first(seconds: Mapping[str, Seconds]) -> dict[str, float]:
    """Return each workload's speed relative to the first: the median over the rounds."""
    first = next(iter(seconds.values()))
    return {name: float(np.median(first / values)) for name, values in seconds.items()}


def stream_seconds(
    detect: Callable[[Any], Detections], batches: Iterable[Any], *, warmup: int, timed: int, after_batch: Work
) -> Seconds:
    """Measure the time from the end of one batch to the end of the next, reading included.

    Returns `timed` values after `warmup` batches (1 or more). Detections are copied to the CPU. Loader processes
    prefetch from the first batch on.
    """
    ends = []
    for batch in islice(batches, warmup + timed):
        detect(batch).cpu()
        ends.append(time.perf_counter())
        after_batch()
    return np.diff(ends[warmup - 1 :])


def noise(detector: Detector, batch: int) -> Tensor:
    """Return uint8 images of random pixels, on the CPU."""
    size = detector.spec.input_size
    return torch.randint(0, 256, (batch, 3, size, size), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def candidates_per_image(logits: Float[Tensor, "B K C"], min_score: float) -> float:
    """Return the mean number of scores above the threshold per image, which determines the work of the suppression."""
    return float((logits.float().softmax(dim=2)[:, :, 1:] > min_score).sum()) / len(logits)


@torch.no_grad()
def quieten(detector: Detector, images: Shaped[Tensor, "B 3 S S"], candidates: int) -> None:
    """Raise the background's bias until about `candidates` scores per image are above the threshold.

    With untrained weights nearly all are, and the suppression would have far more work than in practice.
    """
    logits = detector(images)[1]
    background = torch.zeros(detector.spec.class_count, device=logits.device)
    low, high = 0.0, 1e4
    for _ in range(40):
        background[0] = (low + high) / 2
        above = candidates_per_image(logits + background, PAPER_LIMITS.min_score)
        low, high = (background[0].item(), high) if above > candidates else (low, background[0].item())
    for head in detector.modules():
        if isinstance(head, Head) and head.logits.bias is not None:
            head.logits.bias.view(-1, detector.spec.class_count).add_(background)


def _seconds(work: Work, device: torch.device) -> float:
    if device.type != "cuda":
        began = time.perf_counter()
        work()
        return time.perf_counter() - began
    new_event: Any = torch.cuda.Event
    start, end = new_event(enable_timing=True), new_event(enable_timing=True)
    torch.cuda.synchronize(device)
    start.record()
    work()
    end.record()
    end.synchronize()
    return float(start.elapsed_time(end)) / 1e3
