"""VGG16 up to conv7, with fc6 and fc7 as convolutions (paper section 3; VGGNetBody in model_libs.py).

Two parts, cut where SSD reads features: up to conv4_3, and from pool4 to conv7. Pooling rounds up as
Caffe's does. pool5 is 3x3 with stride 1, and the holes of conv6 (fc6) make up for the missing stride.
"""

from __future__ import annotations

from collections import OrderedDict
from itertools import pairwise

from torch import nn

from ssd_core.layers import Convolution
from ssd_core.spec import Vgg16

_DEPTHS = (2, 2, 3, 3, 3)  # convolutions of the blocks conv1 to conv5


def to_conv4_3(vgg: Vgg16, norm_groups: int) -> nn.Sequential:
    """RGB or BGR image (B, 3, S, S) to conv4_3 (B, C, S/8, S/8)."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for block, (channels_in, channels) in enumerate(pairwise((3, *vgg.channels[:4])), start=1):
        if block > 1:
            layers[f"pool{block - 1}"] = _halve()
        layers |= _block(block, channels_in, channels, norm_groups)
    return nn.Sequential(layers)


def from_conv4_3_to_conv7(vgg: Vgg16, norm_groups: int) -> nn.Sequential:
    """conv4_3 (B, C, S/8, S/8) to conv7 (B, fc_channels, S/16, S/16)."""
    *_, channels_in, channels = vgg.channels
    layers: OrderedDict[str, nn.Module] = OrderedDict(pool4=_halve())
    layers |= _block(5, channels_in, channels, norm_groups)
    layers["pool5"] = nn.MaxPool2d(kernel_size=3, stride=1, padding=1)
    layers["conv6"] = Convolution(
        channels, vgg.fc_channels, padding=vgg.dilation, dilation=vgg.dilation, norm_groups=norm_groups
    )
    layers["conv7"] = Convolution(vgg.fc_channels, vgg.fc_channels, kernel=1, padding=0, norm_groups=norm_groups)
    return nn.Sequential(layers)


def _block(block: int, channels_in: int, channels: int, norm_groups: int) -> OrderedDict[str, nn.Module]:
    widths = pairwise((channels_in, *[channels] * _DEPTHS[block - 1]))
    return OrderedDict(
        (f"conv{block}_{layer}", Convolution(before, after, norm_groups=norm_groups))
        for layer, (before, after) in enumerate(widths, start=1)
    )


def _halve() -> nn.MaxPool2d:
    return nn.MaxPool2d(kernel_size=2, stride=2, ceil_mode=True)
