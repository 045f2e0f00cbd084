"""Whole networks on the device against the CPU: outputs, gradients and detections, in fp32 and bf16."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import torch
from gpu.comparison import Check, close, same_detections
from torch import Tensor

from ssd_core.detection.decoding import detect
from ssd_core.detection.speed import quieten
from ssd_core.network.model import Detector
from ssd_core.network.precision import Precision, autocast, has_bf16
from ssd_core.spec.detector import DetectorSpec
from ssd_core.spec.paper import ssd300, ssd300_full_vgg, ssd512
from ssd_core.spec.tiny import ssd_tiny
from ssd_core.spec.vocabularies import VOC_CLASSES
from ssd_core.weights.initial import initial_detector

FP32 = 1e-4
"""Relative error of outputs; cuDNN sums in another order, and may use Winograd's algorithm."""

FP32_GRADIENTS = 1e-2
"""Relative error of the worst gradient; where two values in a pooling window nearly tie, all of it moves."""

BF16 = 5e-2
"""Relative error of outputs in bf16, which rounds each of some twenty layers by up to 0.4 %."""

FP32_DETECTIONS = 2e-2
"""Share of detections that may differ: where overlaps are near the threshold, one decision changes the next."""

CANDIDATES = 1000


def variants(small: bool) -> dict[str, Callable[[], DetectorSpec]]:
    """Return the detectors that are compared."""
    if small:
        return {"tiny": lambda: ssd_tiny(VOC_CLASSES)}
    return {
        "SSD300": ssd300,
        "SSD300, full VGG16": ssd300_full_vgg,
        "SSD300, GroupNorm": lambda: replace(ssd300(), norm_groups=32),
        "SSD300, inside boxes only": lambda: replace(ssd300(), use_boundary_boxes=False),
        "SSD512": ssd512,
    }


def network_checks(name: str, spec: DetectorSpec, images: Tensor, device: torch.device) -> Iterator[tuple[str, Check]]:
    """Yield the comparisons of one detector; `images` are uint8 at its input size, on the CPU."""
    here, there = (initial_detector(spec, seed=0) for _ in range(2))
    quieten(here, images, CANDIDATES)
    there.load_state_dict(here.state_dict())
    there.to(device).to(memory_format=torch.channels_last)
    shown = images.to(device)
    reference = outputs(here, images, "fp32")
    exact = outputs(there, shown, "fp32")
    yield f"{name}: outputs, fp32", close(exact, reference, FP32)
    yield f"{name}: gradients, fp32", close(gradients(there, shown), gradients(here, images), FP32_GRADIENTS)
    yield f"{name}: detections, fp32", same_detections(detect(there, shown), detect(here, images), FP32_DETECTIONS)
    if has_bf16(device):
        yield f"{name}: outputs, bf16 against fp32", close(outputs(there, shown, "bf16"), exact, BF16)


@torch.no_grad()
def outputs(detector: Detector, images: Tensor, precision: Precision) -> dict[str, Tensor]:
    with autocast(precision, images.device):
        locations, logits = detector(images)
    return {"locations": locations.float(), "logits": logits.float()}


def gradients(detector: Detector, images: Tensor) -> dict[str, Tensor]:
    """Return the gradients of a fixed linear function of the outputs, which has no discrete choices of its own."""
    rng = torch.Generator().manual_seed(4)
    total = sum(
        (values * torch.randn(values.shape, generator=rng).to(values.device)).sum() for values in detector(images)
    )
    parameters = dict(detector.named_parameters())
    return dict(zip(parameters, torch.autograd.grad(total, list(parameters.values())), strict=True))
