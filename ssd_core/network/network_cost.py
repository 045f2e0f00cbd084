"""Parameters and operations of a network, by arithmetic on its blueprint: without torch or the network.

`measured_cost` counts the same on the modules, the only option for a backbone without a blueprint.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from ssd_core.backbones.blueprint import Blueprint, Conv
from ssd_core.network.feature_blueprint import feature_blueprint, layer_widths
from ssd_core.spec.detector import DetectorSpec

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class NetworkCost:
    parameters: int

    multiply_adds: int
    """Multiply-adds of the convolutions in one image's forward pass; training takes about three times as many."""


def network_cost(spec: DetectorSpec) -> NetworkCost:
    """Return the cost of a detector without computing or allocating it."""
    parts = feature_blueprint(spec)
    if parts is None:
        return measured_cost(spec)
    convolutions = [*_features(spec, parts), *_heads(spec)]
    return NetworkCost(
        parameters=sum(_parameters(layer) for layer, _ in convolutions) + _norms(spec, parts),
        multiply_adds=sum(_multiply_adds(layer, side) for layer, side in convolutions),
    )


def _features(spec: DetectorSpec, parts: Mapping[str, Blueprint]) -> Iterator[tuple[Conv, int]]:
    """Yield each convolution and the side of its output."""
    side = spec.input_size
    for layer in chain(*parts.values()):
        side = layer.side(side)
        if isinstance(layer, Conv):
            yield layer, side


def _heads(spec: DetectorSpec) -> Iterator[tuple[Conv, int]]:
    """Yield both convolutions of each `model.Head` as one: 4 coordinates and a score per class for each box."""
    sides, widths = spec.cells(), layer_widths(spec)
    for source in spec.sources:
        outputs = source.boxes_per_cell * (4 + spec.class_count)
        yield Conv(name=source.layer, channels_in=widths[source.layer], channels=outputs), sides[source.layer]


def _parameters(layer: Conv) -> int:
    return layer.channels * (layer.channels_in * layer.kernel**2 + layer.bias)


def _multiply_adds(layer: Conv, side: int) -> int:
    return layer.channels * side**2 * layer.channels_in * layer.kernel**2


def _norms(spec: DetectorSpec, parts: Mapping[str, Blueprint]) -> int:
    """Parameters of the norms: two per channel of a GroupNorm, one per channel of conv4_3's L2 normalisation."""
    grouped = sum(2 * layer.channels for layer in chain(*parts.values()) if isinstance(layer, Conv))
    scaled = [layer_widths(spec)[source.layer] for source in spec.sources if source.layer == "conv4_3"]
    return (grouped if spec.norm_groups else 0) + sum(scaled)


def measured_cost(spec: DetectorSpec) -> NetworkCost:
    """Return the cost as counted in a forward pass on torch's meta device."""
    import torch

    from ssd_core.network.model import Detector

    with torch.device("meta"):
        detector = Detector(spec)
        images = torch.empty(1, 3, spec.input_size, spec.input_size, dtype=torch.uint8)
    work: list[int] = []

    def count(layer: nn.Conv2d, _inputs: Any, output: Tensor) -> None:
        work.append(output.numel() * layer.weight[0].numel())

    for layer in detector.modules():
        if isinstance(layer, torch.nn.Conv2d):
            layer.register_forward_hook(count)
    detector(images)
    return NetworkCost(parameters=sum(each.numel() for each in detector.parameters()), multiply_adds=sum(work))
