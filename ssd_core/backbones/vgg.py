"""VGG16 up to conv7, with fc6 and fc7 as convolutions (paper section 3; VGGNetBody in model_libs.py).

Split at the possible source layers: after conv4_3, in the full network after conv5_3, and after conv7. Pooling rounds
up, as in Caffe. In the reduced network pool5 is 3x3 with stride 1, and the dilation of conv6 (fc6) makes up for the
missing stride; the full one has pool5 2x2 with stride 2 and fc6 7x7.

Tested in tests/ssd_core/network/test_model.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from ssd_core.backbones.blueprint import Blueprint, Conv, Pool

_DEPTHS = (2, 2, 3, 3, 3)  # convolutions of the blocks conv1 to conv5


def vgg16_blueprint(*, channels: Sequence[int], fc_channels: int, dilation: int, reduced: bool) -> dict[str, Blueprint]:
    """Return the network in parts, each named after its last layer; `channels` lists the widths of the five blocks.

    Maps: image (B, 3, S, S), RGB or BGR; conv4_3 S/8; conv5_3 S/16; conv7 S/16 reduced, S/32 full.
    """
    to_conv4_3, conv5 = _to_conv4_3(channels[:4]), (Pool(name="pool4"), *_block(5, channels[3], channels[4]))
    fc = _fc(channels[4], fc_channels, dilation, reduced=reduced)
    if reduced:
        return {"conv4_3": to_conv4_3, "conv7": conv5 + fc}
    return {"conv4_3": to_conv4_3, "conv5_3": conv5, "conv7": fc}


def _to_conv4_3(widths: Sequence[int]) -> Blueprint:
    layers: Blueprint = ()
    for block, (channels_in, channels) in enumerate(pairwise((3, *widths)), start=1):
        if block > 1:
            layers += (Pool(name=f"pool{block - 1}"),)
        layers += _block(block, channels_in, channels)
    return layers


def _fc(channels_in: int, channels: int, dilation: int, *, reduced: bool) -> Blueprint:
    kernel = 3 if reduced else 7
    pool5 = Pool(name="pool5", kernel=3, stride=1, padding=1) if reduced else Pool(name="pool5")
    conv6 = Conv(
        name="conv6",
        channels_in=channels_in,
        channels=channels,
        kernel=kernel,
        padding=dilation * (kernel // 2),
        dilation=dilation,
    )
    conv7 = Conv(name="conv7", channels_in=channels, channels=channels, kernel=1, padding=0)
    return pool5, conv6, conv7


def _block(block: int, channels_in: int, channels: int) -> Blueprint:
    widths = pairwise((channels_in, *[channels] * _DEPTHS[block - 1]))
    return tuple(
        Conv(name=f"conv{block}_{layer}", channels_in=before, channels=after)
        for layer, (before, after) in enumerate(widths, start=1)
    )
