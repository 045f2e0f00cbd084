"""MobileNetV3-Large up to its 13th block (Howard et al. 2019, Table 1), from torchvision's blocks, with its names.

Split after the expansions of blocks 7 and 13. Both blocks halve the resolution and so have no shortcut to cut.
Squeeze-and-excitation averages over one image, so that no layer looks across a batch.

Tested in tests/ssd_core/backbones/test_mobilenet.py.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import astuple
from functools import partial
from itertools import islice

from torch import nn
from torchvision.models.mobilenetv3 import InvertedResidual, InvertedResidualConfig
from torchvision.ops import Conv2dNormActivation, FrozenBatchNorm2d

from ssd_core.backbones.layers import GroupNorm
from ssd_core.backbones.mobilenet_table import BLOCKS

BATCH_NORM_EPSILON = 1e-3
"""Added to the variance, as in the network that torchvision's weights were trained in."""


def mobilenet_v3_parts(width: float, norm_groups: int) -> OrderedDict[str, nn.Module]:
    """Return the network in two parts. Image (B, 3, S, S), RGB; expansion7 S/8; expansion13 S/16."""
    norm = partial(GroupNorm, norm_groups) if norm_groups else partial(FrozenBatchNorm2d, eps=BATCH_NORM_EPSILON)
    configs = [InvertedResidualConfig(*astuple(block), dilation=1, width_mult=width) for block in BLOCKS]
    stem = Conv2dNormActivation(
        3, configs[0].input_channels, kernel_size=3, stride=2, norm_layer=norm, activation_layer=nn.Hardswish
    )
    layers = [stem, *(InvertedResidual(config, norm) for config in configs)]
    named = {str(place): layer for place, layer in enumerate(layers)}
    return OrderedDict(
        expansion7=nn.Sequential(_between(named, 0, 7) | OrderedDict({"7": _part(named["7"], 0, 1)})),
        expansion13=nn.Sequential(
            OrderedDict({"7": _part(named["7"], 1, None)})
            | _between(named, 8, 13)
            | OrderedDict({"13": _part(named["13"], 0, 1)})
        ),
    )


def _between(layers: dict[str, nn.Module], start: int, stop: int) -> OrderedDict[str, nn.Module]:
    return OrderedDict((str(place), layers[str(place)]) for place in range(start, stop))


def _part(block: nn.Module, start: int, stop: int | None) -> nn.Module:
    """Some of the layers of a block without a shortcut, under the names that they have in the whole block."""
    layers = block.get_submodule("block").named_children()
    return nn.Sequential(OrderedDict(block=nn.Sequential(OrderedDict(islice(layers, start, stop)))))
