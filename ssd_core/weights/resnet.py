"""Initial weights from a ResNet-50 trained on ImageNet, under torchvision's names, and its preprocessing.

Tested in tests/ssd_core/backbones/test_backbone.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor

from ssd_core.backbones.backbone import ResNet50
from ssd_core.spec.paper import ssd300, with_resnet50
from ssd_core.weights.torchvision_backbone import backbone_state
from ssd_core.weights.vgg import TORCHVISION
from ssd_core.weights.weights import Weights


def is_resnet50(tensors: Mapping[str, Tensor]) -> bool:
    """Return whether the names are those of a ResNet; `resnet50_state` checks that it has 50 layers."""
    return {"conv1.weight", "bn1.running_mean", "layer3.0.conv1.weight"} <= set(tensors)


def from_resnet50(tensors: Mapping[str, Tensor]) -> Weights:
    """Return ResNet-50 as initial weights: its tensors only, with a specification that has its preprocessing."""
    return Weights(spec=replace(with_resnet50(ssd300()), preprocessing=TORCHVISION), state=resnet50_state(tensors))


def resnet50_state(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors under the names of `Detector`, up to layer3. Raises ValueError if one is missing or misshapen."""
    return backbone_state(tensors, ResNet50(), title="ResNet-50")
