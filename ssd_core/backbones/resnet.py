"""ResNet-50 up to conv4_x (He et al. 2016, Table 1), built from torchvision's blocks with torchvision's names.

Split after layer2 (conv3_x) and layer3 (conv4_x). The stride of a block is in its 3x3 convolution, which torchvision's
weights expect; the paper has it in the first 1x1.

Tested in tests/ssd_core/backbones/test_backbone.py.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import partial

from torch import nn
from torchvision.models.resnet import Bottleneck
from torchvision.ops import FrozenBatchNorm2d

from ssd_core.backbones.layers import GroupNorm

Norm = Callable[[int], nn.Module]


def resnet50_parts(width: int, norm_groups: int) -> OrderedDict[str, nn.Module]:
    """Return the network in two parts; conv1 has `width` channels. Image (B, 3, S, S), RGB; layer2 S/8; layer3 S/16."""
    norm: Norm = partial(GroupNorm, norm_groups) if norm_groups else FrozenBatchNorm2d
    layer1 = _layer(width, width, blocks=3, stride=1, norm=norm)
    layer2 = _layer(4 * width, 2 * width, blocks=4, stride=2, norm=norm)
    layer3 = _layer(8 * width, 4 * width, blocks=6, stride=2, norm=norm)
    return OrderedDict(
        layer2=nn.Sequential(_stem(width, norm) | OrderedDict(layer1=layer1, layer2=layer2)),
        layer3=nn.Sequential(OrderedDict(layer3=layer3)),
    )


def _stem(width: int, norm: Norm) -> OrderedDict[str, nn.Module]:
    return OrderedDict(
        conv1=nn.Conv2d(3, width, kernel_size=7, stride=2, padding=3, bias=False),
        bn1=norm(width),
        relu=nn.ReLU(inplace=True),
        maxpool=nn.MaxPool2d(kernel_size=3, stride=2, padding=1),
    )


def _layer(channels_in: int, planes: int, *, blocks: int, stride: int, norm: Norm) -> nn.Sequential:
    """Blocks with `planes` channels inside and four times as many outside; the first has a shortcut convolution."""
    ends = Bottleneck.expansion * planes
    shortcut = nn.Sequential(nn.Conv2d(channels_in, ends, kernel_size=1, stride=stride, bias=False), norm(ends))
    first = Bottleneck(channels_in, planes, stride, shortcut, norm_layer=norm)
    return nn.Sequential(first, *(Bottleneck(ends, planes, norm_layer=norm) for _ in range(1, blocks)))
