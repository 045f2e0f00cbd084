"""Weights files of any kind: this project's, another program's detector, a VGG16, a ResNet-50 or a MobileNetV3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO

from torch import Tensor

from ssd_core.spec.paper import ssd300, ssd300_full_vgg
from ssd_core.weights.importing import weights_from
from ssd_core.weights.layouts.known import layout_of
from ssd_core.weights.layouts.layout import AUTODETECT, ImportChoices, Layout
from ssd_core.weights.mobilenet import from_mobilenet_v3, is_mobilenet_v3
from ssd_core.weights.named_tensors import read_named_tensors
from ssd_core.weights.resnet import from_resnet50, is_resnet50
from ssd_core.weights.vgg import from_vgg16, vgg16_weights
from ssd_core.weights.weights import ForeignFile, Weights, load_weights


def read_weights(stream: IO[bytes], choices: ImportChoices = AUTODETECT, *, reduced: bool = True) -> Weights:
    """Return the weights under this project's names; for a backbone only its tensors, for a VGG16 optionally reduced.

    `reduced` is that of `Vgg16`. Raises ValueError that states what was expected, or which tensors do not fit.
    """
    try:
        return load_weights(stream)
    except ForeignFile:
        stream.seek(0)
    tensors = read_named_tensors(stream)
    if choices.layout or _layout(tensors):
        return weights_from(tensors, choices)
    if is_resnet50(tensors):
        return from_resnet50(tensors)
    if is_mobilenet_v3(tensors):
        return from_mobilenet_v3(tensors)
    try:
        vgg16 = vgg16_weights(tensors, reduced=reduced)
    except ValueError as error:
        raise ValueError(f"neither weights of ssdpipe nor a detector in a supported layout, and {error}") from error
    return from_vgg16(vgg16, ssd300() if reduced else ssd300_full_vgg())


def _layout(tensors: Mapping[str, Tensor]) -> Layout | None:
    try:
        return layout_of(tensors)
    except ValueError:
        return None
