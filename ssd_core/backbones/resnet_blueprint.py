"""The layers of ResNet-50 up to conv4_x as plain values; the network itself is built from torchvision's blocks.

Tested in tests/ssd_core/backbones/test_backbone.py.
"""

from __future__ import annotations

from collections.abc import Iterator

from ssd_core.backbones.blueprint import Blueprint, Conv, Pool, Shortcut


def resnet50_blueprint(width: int) -> dict[str, Blueprint]:
    """Return the two parts of `resnet.resnet50_parts`; conv1 has `width` channels."""
    conv1 = Conv(name="conv1", channels_in=3, channels=width, kernel=7, stride=2, padding=3, bias=False)
    stem = (conv1, Pool(name="maxpool", kernel=3, stride=2, padding=1, round_up=False))
    layer1 = _layer("layer1", width, width, blocks=3, stride=1)
    layer2 = _layer("layer2", 4 * width, 2 * width, blocks=4, stride=2)
    layer3 = _layer("layer3", 8 * width, 4 * width, blocks=6, stride=2)
    return {"layer2": (*stem, *layer1, *layer2), "layer3": tuple(layer3)}


def _layer(name: str, channels_in: int, planes: int, *, blocks: int, stride: int) -> Iterator[Conv]:
    ends = 4 * planes
    for block in range(blocks):
        before, step = (ends, 1) if block else (channels_in, stride)
        at = f"{name}.{block}"
        yield Conv(name=f"{at}.conv1", channels_in=before, channels=planes, kernel=1, padding=0, bias=False)
        yield Conv(name=f"{at}.conv2", channels_in=planes, channels=planes, stride=step, bias=False)
        yield Conv(name=f"{at}.conv3", channels_in=planes, channels=ends, kernel=1, padding=0, bias=False)
        if not block:
            yield Shortcut(
                name=f"{at}.downsample.0",
                channels_in=before,
                channels=ends,
                kernel=1,
                stride=step,
                padding=0,
                bias=False,
            )
