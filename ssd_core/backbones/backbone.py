"""Backbones: the networks that produce a detector's first maps, as values of its specification.

A backbone defines the side and width of each possible source map, and builds the layers that lead to it. The extra
layers of the specification follow its last map. A custom backbone is another subclass of `Backbone`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import OrderedDict
from dataclasses import dataclass
from itertools import chain
from math import ceil, isfinite
from typing import TYPE_CHECKING

from ssd_core.backbones.blueprint import Blueprint, Conv

if TYPE_CHECKING:
    from torch import nn


class Backbone(ABC):
    """Base of frozen keyword-only dataclasses; maps are in order, each named after the layer that produces it."""

    @abstractmethod
    def cells(self, input_size: int) -> dict[str, int]:
        """Side of each map, in cells."""

    @abstractmethod
    def widths(self) -> dict[str, int]:
        """Number of channels of each map."""

    @abstractmethod
    def parts(self, norm_groups: int) -> OrderedDict[str, nn.Module]:
        """The layers that lead to each map from the one before (for the first: from the image, (B, 3, S, S)).

        A GroupNorm with `norm_groups` groups follows every convolution; with 0 the network is the pretrained one.
        """

    def blueprint(self) -> dict[str, Blueprint] | None:
        """The same layers as plain values, from which a plan computes the cost; None: it measures the modules."""
        return None

    def normed_widths(self) -> dict[str, int]:
        """Number of channels of every convolution that a norm follows; without a blueprint, of the maps alone."""
        blueprint = self.blueprint()
        if blueprint is None:
            return self.widths()
        return {layer.name: layer.channels for layer in chain(*blueprint.values()) if isinstance(layer, Conv)}


@dataclass(frozen=True, kw_only=True)
class Vgg16(Backbone):
    """VGG16 with fc6 and fc7 as convolutions; by default reduced and atrous, as in DeepLab-LargeFOV."""

    reduced: bool = True
    """Subsampled fc6 (3x3, dilated) and fc7, pool5 3x3-s1. False: VGG16 as it was trained, "no atrous" in Table 2:
    fc6 7x7, pool5 2x2-s2, and conv5_3 as a possible source."""

    channels: tuple[int, int, int, int, int] = (64, 128, 256, 512, 512)
    """Channels of the blocks conv1 to conv5 (2, 2, 3, 3, 3 layers)."""

    fc_channels: int = 1024
    """Channels of fc6 and fc7; 4096 before subsampling."""

    dilation: int = 6
    """Dilation of fc6."""

    def __post_init__(self) -> None:
        if not self.reduced and self.dilation != 1:
            raise ValueError(f"fc6 of the full VGG16 is not dilated: it needs dilation=1, not {self.dilation}")

    def cells(self, input_size: int) -> dict[str, int]:
        """Pooling rounds up, as in Caffe: 300 -> 150 -> 75 -> 38 -> 19."""
        conv4_3 = _halved(input_size, times=3)
        if self.reduced:
            return {"conv4_3": conv4_3, "conv7": _halved(conv4_3)}
        return {"conv4_3": conv4_3, "conv5_3": _halved(conv4_3), "conv7": _halved(conv4_3, times=2)}

    def widths(self) -> dict[str, int]:
        conv5_3 = {} if self.reduced else {"conv5_3": self.channels[4]}
        return {"conv4_3": self.channels[3], **conv5_3, "conv7": self.fc_channels}

    def parts(self, norm_groups: int) -> OrderedDict[str, nn.Module]:
        from ssd_core.backbones.layers import build_layers

        return OrderedDict((name, build_layers(part, norm_groups)) for name, part in self.blueprint().items())

    def blueprint(self) -> dict[str, Blueprint]:
        from ssd_core.backbones.vgg import vgg16_blueprint

        return vgg16_blueprint(
            channels=self.channels, fc_channels=self.fc_channels, dilation=self.dilation, reduced=self.reduced
        )


@dataclass(frozen=True, kw_only=True)
class ResNet50(Backbone):
    """The first 40 convolutions of ResNet-50, conv1 to conv4_x of He et al. (2016, Table 1), without conv5_x.

    Maps have torchvision's names: layer2 is conv3_x, layer3 is conv4_x. At 300 they have 38 and 19 cells, like those of
    VGG16, without changing any stride. Batch norm is frozen at ImageNet's statistics, since those of a batch would
    depend on how images are distributed over workers. From scratch it normalises nothing: use GroupNorm then.
    """

    width: int = 64
    """Channels of conv1; layer2 has 8 times as many, layer3 16 times."""

    def cells(self, input_size: int) -> dict[str, int]:
        """Convolutions of stride 2 are padded to round up: 300 -> 150 -> 75 -> 38 -> 19."""
        return {"layer2": _halved(input_size, times=3), "layer3": _halved(input_size, times=4)}

    def widths(self) -> dict[str, int]:
        return {"layer2": 8 * self.width, "layer3": 16 * self.width}

    def parts(self, norm_groups: int) -> OrderedDict[str, nn.Module]:
        from ssd_core.backbones.resnet import resnet50_parts

        return resnet50_parts(self.width, norm_groups)

    def blueprint(self) -> dict[str, Blueprint]:
        from ssd_core.backbones.resnet_blueprint import resnet50_blueprint

        return resnet50_blueprint(self.width)


@dataclass(frozen=True, kw_only=True)
class MobileNetV3(Backbone):
    """MobileNetV3-Large (Howard et al. 2019, Table 1) up to the expansion of its 13th bottleneck block.

    The two maps are the widest of their resolution: the expansions, by 1x1 convolutions, of blocks 7 and 13, before
    these halve the resolution. The second is the map C4 that the paper's own detector starts from (section 6.3). At 300
    they have 38 and 19 cells, like those of VGG16. Batch norm is frozen at ImageNet's statistics, since those of a
    batch would depend on how images are distributed over workers. From scratch use GroupNorm.
    """

    width: float = 1.0
    """Factor of all numbers of channels, which are then rounded to multiples of 8."""

    def __post_init__(self) -> None:
        if not (isfinite(self.width) and self.width > 0):
            raise ValueError(f"the width of a MobileNetV3 must be a number above 0, but is {self.width}")

    def cells(self, input_size: int) -> dict[str, int]:
        """Convolutions of stride 2 are padded to round up: 300 -> 150 -> 75 -> 38 -> 19."""
        return {"expansion7": _halved(input_size, times=3), "expansion13": _halved(input_size, times=4)}

    def widths(self) -> dict[str, int]:
        return {name: self.normed_widths()[name] for name in ("expansion7", "expansion13")}

    def normed_widths(self) -> dict[str, int]:
        from ssd_core.backbones.mobilenet_table import block_widths

        return block_widths(self.width)

    def parts(self, norm_groups: int) -> OrderedDict[str, nn.Module]:
        from ssd_core.backbones.mobilenet import mobilenet_v3_parts

        return mobilenet_v3_parts(self.width, norm_groups)


def _halved(side: int, times: int = 1) -> int:
    for _ in range(times):
        side = ceil(side / 2)
    return side
