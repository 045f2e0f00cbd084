"""Initial weights from a MobileNetV3-Large trained on ImageNet, under torchvision's names, and its preprocessing.

Tested in tests/ssd_core/backbones/test_mobilenet.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor

from ssd_core.backbones.backbone import MobileNetV3
from ssd_core.spec.paper import ssd300, with_mobilenet_v3
from ssd_core.weights.torchvision_backbone import backbone_state
from ssd_core.weights.vgg import TORCHVISION
from ssd_core.weights.weights import Weights


def is_mobilenet_v3(tensors: Mapping[str, Tensor]) -> bool:
    """Return whether the names are those of a MobileNetV3; `mobilenet_v3_state` checks that it is the large one."""
    return {"features.0.1.running_mean", "features.4.block.2.fc1.weight", "classifier.3.weight"} <= set(tensors)


def from_mobilenet_v3(tensors: Mapping[str, Tensor]) -> Weights:
    """Return MobileNetV3 as initial weights: its tensors only, with a specification that has its preprocessing."""
    spec = replace(with_mobilenet_v3(ssd300()), preprocessing=TORCHVISION)
    return Weights(spec=spec, state=mobilenet_v3_state(tensors))


def mobilenet_v3_state(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors under the names of `Detector`. Raises ValueError if one is missing or misshapen."""
    return backbone_state(tensors, MobileNetV3(), title="MobileNetV3-Large", prefix="features.")
