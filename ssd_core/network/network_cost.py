"""Size of a network and work of one image, by arithmetic on its blueprint: no torch, no network.

`measured_cost` counts the same on the modules; of a backbone that says its layers in modules only, nothing else can.
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
    """Of the convolutions, forward, for one image; training costs about three times as much."""


def network_cost(spec: DetectorSpec) -> NetworkCost:
    """Cost of the detector of a specification, without computing or allocating it."""
    parts = feature_blueprint(spec)
    if parts is None:
        return measured_cost(spec)
    convolutions = [*_features(spec, parts), *_heads(spec)]
    return NetworkCost(
        parameters=sum(_parameters(layer) for layer, _ in convolutions) + _norms(spec, parts),
        multiply_adds=sum(_multiply_adds(layer, side) for layer, side in convolutions),
    )


def _features(spec: DetectorSpec, parts: Mapping[str, Blueprint]) -> Iterator[tuple[Conv, int]]:
    """Each convolution, and the side of the map that it gives."""
    side = spec.input_size
    for layer in chain(*parts.values()):
        side = layer.side(side)
        if isinstance(layer, Conv):
            yield layer, side


def _heads(spec: DetectorSpec) -> Iterator[tuple[Conv, int]]:
    """Both convolutions of each `model.Head` as one: 4 locations and a score of each class for each box."""
    sides, widths = spec.cells(), layer_widths(spec)
    for source in spec.sources:
        outputs = source.boxes_per_cell * (4 + spec.class_count)
        yield Conv(name=source.layer, channels_in=widths[source.layer], channels=outputs), sides[source.layer]


def _parameters(layer: Conv) -> int:
    return layer.channels * (layer.channels_in * layer.kernel**2 + layer.bias)


def _multiply_adds(layer: Conv, side: int) -> int:
    return layer.channels * side**2 * layer.channels_in * layer.kernel**2


def _norms(spec: DetectorSpec, parts: Mapping[str, Blueprint]) -> int:
    """Parameters of the norms: two for each channel of a GroupNorm, one for each of the L2 norm of conv4_3."""
    grouped = sum(2 * layer.channels for layer in chain(*parts.values()) if isinstance(layer, Conv))
    scaled = [layer_widths(spec)[source.layer] for source in spec.sources if source.layer == "conv4_3"]
    return (grouped if spec.norm_groups else 0) + sum(scaled)


def measured_cost(spec: DetectorSpec) -> NetworkCost:
    """Counted by a forward pass on torch's meta device."""
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
