"""Size of a network and work of one image, read off the network itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ssd_core.network.model import Detector
from ssd_core.spec.detector import DetectorSpec


@dataclass(frozen=True, kw_only=True)
class NetworkCost:
    parameters: int

    multiply_adds: int
    """Of the convolutions, forward, for one image; training costs about three times as much."""


def network_cost(spec: DetectorSpec) -> NetworkCost:
    """Cost of the detector of a specification, without computing or allocating it."""
    with torch.device("meta"):
        detector = Detector(spec)
        images = torch.empty(1, 3, spec.input_size, spec.input_size, dtype=torch.uint8)
    work: list[int] = []

    def count(layer: nn.Conv2d, _inputs: Any, output: Tensor) -> None:
        work.append(output.numel() * layer.weight[0].numel())

    for layer in detector.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(count)
    detector(images)
    return NetworkCost(parameters=sum(each.numel() for each in detector.parameters()), multiply_adds=sum(work))
