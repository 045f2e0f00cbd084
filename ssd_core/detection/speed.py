"""Inference time of a detector (paper section 3.7, Table 7), by three protocols.

    end_to_end   images are read, decoded and resized, then detected; the paper's (ssd_pascal_speed.py takes the whole
                 test pass by the clock on the wall, batch 8)
    detection    images lie on the device already: network, decoding, suppression
    forward      the network alone
    backbone     the part of it that is the backbone, whose share of the time the paper tells

Works that are compared take turns in every round, so that a change of the machine meets all of them. On a GPU times
are those of CUDA events. All times are seconds of one batch.
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
from ssd_core.detection.speed_modes import SpeedMode
from ssd_core.network.model import Detector, Head
from ssd_core.network.precision import autocast, has_bf16

Seconds = Float[ndarray, " R"]
"""One for each timed round."""

Work = Callable[[], object]


@dataclass(frozen=True, kw_only=True)
class Speed:
    """What the seconds of a work come to."""

    images_per_second: float
    """All images over all the time, as a pass over a test set counts."""

    p50_ms: float
    """Of one batch."""

    p90_ms: float

    @classmethod
    def of(cls, seconds: Seconds, batch: int) -> Speed:
        middle, slow = np.percentile(seconds, [50, 90]) * 1e3
        return cls(
            images_per_second=batch * len(seconds) / float(seconds.sum()), p50_ms=float(middle), p90_ms=float(slow)
        )


def why_not(mode: SpeedMode, device: torch.device) -> str:
    """Why a device cannot compute in this mode; empty when it can."""
    if mode.precision == "bf16" and not has_bf16(device):
        return f"no bf16 in the hardware of this {device.type} device"
    if mode.precision == "tf32" and (device.type != "cuda" or torch.cuda.get_device_capability(device) < (8, 0)):
        return "TF32 is of NVIDIA GPUs from Ampere on"
    return ""


@contextmanager
def arithmetic(mode: SpeedMode, device: torch.device) -> Iterator[None]:
    """The context in which works of this mode run; cuDNN searches its fastest kernels, and afterwards is as before."""
    cudnn = torch.backends.cudnn
    before = cudnn.allow_tf32, cudnn.benchmark
    cudnn.allow_tf32, cudnn.benchmark = mode.precision != "fp32", True
    try:
        with torch.no_grad(), autocast("bf16" if mode.precision == "bf16" else "fp32", device):
            yield
    finally:
        cudnn.allow_tf32, cudnn.benchmark = before


class Runner:
    """A detector on a device, in the memory layout of a mode; compiled where the mode says so.

    Calls belong inside `arithmetic`. The detector given is moved, not copied.
    """

    def __init__(
        self, detector: Detector, mode: SpeedMode, device: torch.device, limits: DetectionLimits = PAPER_LIMITS
    ) -> None:
        self.device, self.limits = device, limits
        self.layout = torch.channels_last if mode.channels_last else torch.contiguous_format
        self.detector = detector.to(device).to(memory_format=self.layout).eval()
        self.network: Any = torch.compile(detector) if mode.compiled else detector

    def placed(self, images: Shaped[Tensor, "B 3 S S"]) -> Shaped[Tensor, "B 3 S S"]:
        """The images on the device."""
        return images.to(self.device, non_blocking=True).contiguous(memory_format=self.layout)

    def forward(self, images: Shaped[Tensor, "B 3 S S"]) -> tuple[Tensor, Tensor]:
        locations, logits = self.network(images)
        return locations, logits

    def backbone(self, images: Shaped[Tensor, "B 3 S S"]) -> Tensor:
        """Features of the backbone's last layer; never compiled."""
        last = list(self.detector.spec.backbone.cells(self.detector.spec.input_size))[-1]
        features: Tensor = self.detector.preprocess(images)
        for layer, part in self.detector.features.items():
            features = part(features)
            if layer == last:
                break
        return features

    def detect(self, images: Shaped[Tensor, "B 3 S S"]) -> Detections:
        boxes, variances = self.detector.default_boxes, self.detector.spec.variances
        return detections(*self.forward(images), boxes, variances, self.limits)


def in_turns(
    works: Mapping[str, Work], device: torch.device, *, warmup: int, timed: int, after_round: Work = lambda: None
) -> dict[str, Seconds]:
    """Seconds of each work; in each of `timed` rounds, after `warmup` that do not count, each is done once."""
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(warmup + timed):
        for name, work in works.items():
            seconds[name].append(_seconds(work, device))
        after_round()
    return {name: np.array(values[warmup:]) for name, values in seconds.items()}


def of_first(seconds: Mapping[str, Seconds]) -> dict[str, float]:
    """Speed of each work as a multiple of the first's: the median over the rounds, in which they took turns."""
    first = next(iter(seconds.values()))
    return {name: float(np.median(first / values)) for name, values in seconds.items()}


def stream_seconds(
    detect: Callable[[Any], Detections], batches: Iterable[Any], *, warmup: int, timed: int, after_batch: Work
) -> Seconds:
    """Seconds from the end of one batch to the end of the next, reading included: `timed`, after `warmup` (1 or more).

    Detections are taken to the CPU. Readers that read ahead do so from the first batch on.
    """
    ends = []
    for batch in islice(batches, warmup + timed):
        detect(batch).cpu()
        ends.append(time.perf_counter())
        after_batch()
    return np.diff(ends[warmup - 1 :])


def noise(detector: Detector, batch: int) -> Tensor:
    """Images of random pixels, uint8, on the CPU."""
    size = detector.spec.input_size
    return torch.randint(0, 256, (batch, 3, size, size), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def candidates_per_image(logits: Float[Tensor, "B K C"], min_score: float) -> float:
    """Scores above the threshold, mean over the images: the work of the suppression depends on them."""
    return float((logits.float().softmax(dim=2)[:, :, 1:] > min_score).sum()) / len(logits)


@torch.no_grad()
def quieten(detector: Detector, images: Shaped[Tensor, "B 3 S S"], candidates: int) -> None:
    """Raise the background's bias until about so many scores of an image are above the threshold.

    Without trained weights nearly all are, and the suppression would have far more to do than it ever has.
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
