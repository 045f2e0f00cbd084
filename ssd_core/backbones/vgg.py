"""VGG16 up to conv7, with fc6 and fc7 as convolutions (paper section 3; VGGNetBody in model_libs.py).

Cut where SSD can read features: after conv4_3, in the full network after conv5_3, and after conv7. Pooling rounds
up as Caffe's does. In the reduced network pool5 is 3x3 with stride 1, and the holes of conv6 (fc6) make up for the
missing stride; the full one has pool5 2x2 with stride 2 and fc6 7x7.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from ssd_core.backbones.blueprint import Blueprint, Conv, Pool

if TYPE_CHECKING:
    from ssd_core.backbones.backbone import Vgg16

_DEPTHS = (2, 2, 3, 3, 3)  # convolutions of the blocks conv1 to conv5


def vgg16_blueprint(vgg: Vgg16) -> dict[str, Blueprint]:
    """The network in parts, each named by its last layer.

    Maps: image (B, 3, S, S), RGB or BGR; conv4_3 S/8; conv5_3 S/16; conv7 S/16 reduced, S/32 full.
    """
    conv5, fc = _conv5(vgg), _fc(vgg)
    if vgg.reduced:
        return {"conv4_3": _to_conv4_3(vgg), "conv7": conv5 + fc}
    return {"conv4_3": _to_conv4_3(vgg), "conv5_3": conv5, "conv7": fc}


def _to_conv4_3(vgg: Vgg16) -> Blueprint:
    layers: Blueprint = ()
    for block, (channels_in, channels) in enumerate(pairwise((3, *vgg.channels[:4])), start=1):
        if block > 1:
            layers += (Pool(name=f"pool{block - 1}"),)
        layers += _block(block, channels_in, channels)
    return layers


def _conv5(vgg: Vgg16) -> Blueprint:
    *_, channels_in, channels = vgg.channels
    return (Pool(name="pool4"), *_block(5, channels_in, channels))


def _fc(vgg: Vgg16) -> Blueprint:
    kernel = 3 if vgg.reduced else 7
    pool5 = Pool(name="pool5", kernel=3, stride=1, padding=1) if vgg.reduced else Pool(name="pool5")
    conv6 = Conv(
        name="conv6",
        channels_in=vgg.channels[4],
        channels=vgg.fc_channels,
        kernel=kernel,
        padding=vgg.dilation * (kernel // 2),
        dilation=vgg.dilation,
    )
    conv7 = Conv(name="conv7", channels_in=vgg.fc_channels, channels=vgg.fc_channels, kernel=1, padding=0)
    return pool5, conv6, conv7


def _block(block: int, channels_in: int, channels: int) -> Blueprint:
    widths = pairwise((channels_in, *[channels] * _DEPTHS[block - 1]))
    return tuple(
        Conv(name=f"conv{block}_{layer}", channels_in=before, channels=after)
        for layer, (before, after) in enumerate(widths, start=1)
    )
