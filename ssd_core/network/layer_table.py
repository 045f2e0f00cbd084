"""The layers of a detector as a table, recorded from the network during a forward pass on torch's meta device.

Sides are the cells of square maps, which for the image are its pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ssd_core.network.model import Detector, Head
from ssd_core.spec.detector import DetectorSpec


@dataclass(frozen=True, kw_only=True)
class ConvolutionRow:
    """One convolution and its output."""

    name: str
    """Name of the module within its part of the network, such as conv4_3."""

    kernel: int
    stride: int
    dilation: int
    channels: int
    side: int


@dataclass(frozen=True, kw_only=True)
class MapRow:
    """A possible source map, and the convolutions that lead to it from the one before."""

    layer: str
    channels: int
    side: int
    convolutions: tuple[ConvolutionRow, ...]
    boxes_per_cell: int
    """Default boxes predicted in each cell; 0 if the map is not a source."""

    boxes: int
    head_kernel: int
    """Kernel size of the predicting convolutions; 0 if the map is not a source."""


@dataclass(frozen=True, kw_only=True)
class LayerTable:
    input_size: int
    class_count: int
    """Number of classes including background."""

    maps: tuple[MapRow, ...]

    @property
    def boxes(self) -> int:
        return sum(each.boxes for each in self.maps)


def layer_table(spec: DetectorSpec) -> LayerTable:
    """Return the table of a detector."""
    with torch.device("meta"):
        detector = Detector(spec)
        images = torch.empty(1, 3, spec.input_size, spec.input_size, dtype=torch.uint8)
    shapes: dict[nn.Module, tuple[int, ...]] = {}
    for module in detector.modules():
        module.register_forward_hook(_note(shapes))
    detector(images)
    maps = tuple(_map_row(detector, layer, part, shapes) for layer, part in detector.features.items())
    return LayerTable(input_size=spec.input_size, class_count=spec.class_count, maps=maps)


def _note(shapes: dict[nn.Module, tuple[int, ...]]) -> Callable[[nn.Module, Any, Any], None]:
    def note(module: nn.Module, _inputs: Any, output: Any) -> None:
        if isinstance(output, Tensor):
            shapes[module] = tuple(output.shape)
        elif isinstance(module, Head):
            shapes[module] = tuple(output[0].shape)

    return note


def _map_row(detector: Detector, layer: str, part: nn.Module, shapes: dict[nn.Module, tuple[int, ...]]) -> MapRow:
    _, channels, side, _ = shapes[part]
    predicting: Any = dict(detector.heads.items()).get(layer)
    return MapRow(
        layer=layer,
        channels=channels,
        side=side,
        convolutions=tuple(
            _convolution_row(name, module, shapes[module])
            for name, module in part.named_modules()
            if isinstance(module, nn.Conv2d)
        ),
        boxes_per_cell=predicting.locations.out_channels // 4 if predicting else 0,
        boxes=shapes[predicting][1] if predicting else 0,
        head_kernel=predicting.logits.kernel_size[0] if predicting else 0,
    )


def _convolution_row(name: str, layer: nn.Conv2d, shape: tuple[int, ...]) -> ConvolutionRow:
    return ConvolutionRow(
        name=name.removesuffix(".conv"),
        kernel=layer.kernel_size[0],
        stride=layer.stride[0],
        dilation=layer.dilation[0],
        channels=shape[1],
        side=shape[2],
    )
