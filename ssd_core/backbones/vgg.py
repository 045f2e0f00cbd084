"""VGG16 up to conv7, with fc6 and fc7 as convolutions (paper section 3; VGGNetBody in model_libs.py).

Cut where SSD can read features: after conv4_3, in the full network after conv5_3, and after conv7. Pooling rounds
up as Caffe's does. In the reduced network pool5 is 3x3 with stride 1, and the holes of conv6 (fc6) make up for the
missing stride; the full one has pool5 2x2 with stride 2 and fc6 7x7.
"""

from __future__ import annotations

from collections import OrderedDict
from itertools import pairwise

from torch import nn

from ssd_core.backbones.backbone import Vgg16
from ssd_core.backbones.layers import Convolution

_DEPTHS = (2, 2, 3, 3, 3)  # convolutions of the blocks conv1 to conv5


def vgg16_parts(vgg: Vgg16, norm_groups: int) -> OrderedDict[str, nn.Module]:
    """The network in parts, each named by its last layer.

    Maps: image (B, 3, S, S), RGB or BGR; conv4_3 S/8; conv5_3 S/16; conv7 S/16 reduced, S/32 full.
    """
    parts: OrderedDict[str, nn.Module] = OrderedDict(conv4_3=nn.Sequential(_to_conv4_3(vgg, norm_groups)))
    conv5, fc = _conv5(vgg, norm_groups), _fc(vgg, norm_groups)
    if vgg.reduced:
        parts["conv7"] = nn.Sequential(conv5 | fc)
    else:
        parts["conv5_3"], parts["conv7"] = nn.Sequential(conv5), nn.Sequential(fc)
    return parts


def _to_conv4_3(vgg: Vgg16, norm_groups: int) -> OrderedDict[str, nn.Module]:
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for block, (channels_in, channels) in enumerate(pairwise((3, *vgg.channels[:4])), start=1):
        if block > 1:
            layers[f"pool{block - 1}"] = _halve()
        layers |= _block(block, channels_in, channels, norm_groups)
    return layers


def _conv5(vgg: Vgg16, norm_groups: int) -> OrderedDict[str, nn.Module]:
    *_, channels_in, channels = vgg.channels
    return OrderedDict(pool4=_halve()) | _block(5, channels_in, channels, norm_groups)


def _fc(vgg: Vgg16, norm_groups: int) -> OrderedDict[str, nn.Module]:
    kernel = 3 if vgg.reduced else 7
    pool5 = nn.MaxPool2d(kernel_size=3, stride=1, padding=1) if vgg.reduced else _halve()
    conv6 = Convolution(
        vgg.channels[4],
        vgg.fc_channels,
        kernel=kernel,
        padding=vgg.dilation * (kernel // 2),
        dilation=vgg.dilation,
        norm_groups=norm_groups,
    )
    conv7 = Convolution(vgg.fc_channels, vgg.fc_channels, kernel=1, padding=0, norm_groups=norm_groups)
    return OrderedDict(pool5=pool5, conv6=conv6, conv7=conv7)


def _block(block: int, channels_in: int, channels: int, norm_groups: int) -> OrderedDict[str, nn.Module]:
    widths = pairwise((channels_in, *[channels] * _DEPTHS[block - 1]))
    return OrderedDict(
        (f"conv{block}_{layer}", Convolution(before, after, norm_groups=norm_groups))
        for layer, (before, after) in enumerate(widths, start=1)
    )


def _halve() -> nn.MaxPool2d:
    return nn.MaxPool2d(kernel_size=2, stride=2, ceil_mode=True)
