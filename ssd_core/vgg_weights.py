"""First weights from a VGG16 trained on ImageNet, and the preprocessing they were trained with.

Two files are understood: torchvision's `vgg16`, whose fully connected layers are subsampled here as
DeepLab-LargeFOV does (1 of 4 neurons of fc6 and fc7, taps 0, 3 and 6 of the 7x7 kernel; paper section 3)
or, for the full network of Table 2, only turned into convolutions; and the already reduced VGG16 that
PyTorch ports of SSD start from, under numeric keys, alone or below `vgg.` in a whole SSD. Weights and
preprocessing belong together: neither works with the other's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any

from torch import Tensor

from ssd_core.spec import Preprocessing
from ssd_core.tensor_file import read_tensors

TORCHVISION = Preprocessing(channel_order="rgb", mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375))
REDUCED = Preprocessing(channel_order="rgb", mean=(123.0, 117.0, 104.0))
"""Caffe's means; the files have conv1_1 already turned to RGB."""

_CONV4_3 = (
    "conv1_1",
    "conv1_2",
    "conv2_1",
    "conv2_2",
    "conv3_1",
    "conv3_2",
    "conv3_3",
    "conv4_1",
    "conv4_2",
    "conv4_3",
)
_POSITIONS = dict(
    zip((*_CONV4_3, "conv5_1", "conv5_2", "conv5_3"), (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28), strict=True)
)
"""Place of each convolution in the layer list that torchvision and the ports share."""


@dataclass(frozen=True, kw_only=True)
class Vgg16Weights:
    """Tensors under the names of `Detector`, up to conv7, and how images must be given to them."""

    state: dict[str, Tensor]
    preprocessing: Preprocessing


def read_vgg16(stream: IO[bytes], *, reduced: bool = True) -> Vgg16Weights:
    """Read a state dict of either kind; nothing in the file is executed."""
    content: Any = read_tensors(stream)
    if not isinstance(content, Mapping) or not all(isinstance(value, Tensor) for value in content.values()):
        raise ValueError("not a VGG16 file: expected a state dict, names with tensors")
    return vgg16_weights(content, reduced=reduced)


def vgg16_weights(state: Mapping[str, Tensor], *, reduced: bool = True) -> Vgg16Weights:
    """Recognise a state dict by its names and bring it to ours, for a network with or without `Vgg16.reduced`."""
    if "features.0.weight" in state and "classifier.0.weight" in state:
        layers = _reduced(_convolutional(state)) if reduced else _convolutional(state)
        return Vgg16Weights(state=_named(layers, reduced=reduced), preprocessing=TORCHVISION)
    for prefix in ("", "vgg."):
        if f"{prefix}0.weight" in state and f"{prefix}33.weight" in state:
            if not reduced:
                raise ValueError("this VGG16 is already reduced: the full network can start from torchvision's vgg16")
            layers = _layers(state, prefix, fc6=f"{prefix}31", fc7=f"{prefix}33")
            return Vgg16Weights(state=_named(layers, reduced=True), preprocessing=REDUCED)
    raise ValueError(
        "not a VGG16 that can be used: expected torchvision's vgg16 (features.0.weight, classifier.0.weight) or the "
        f"reduced one (0.weight to 33.weight), but the first names are {', '.join(list(state)[:3]) or 'missing'}"
    )


Layers = dict[str, tuple[Tensor, Tensor]]
"""Weight and bias by layer name: conv1_1 to conv5_3, conv6 (fc6) and conv7 (fc7)."""


def _convolutional(state: Mapping[str, Tensor]) -> Layers:
    """torchvision's vgg16 with its fully connected layers as convolutions, 7x7 and 1x1."""
    layers = _layers(state, "features.", fc6="classifier.0", fc7="classifier.3")
    (fc6, fc6_bias), (fc7, fc7_bias) = layers["conv6"], layers["conv7"]
    if fc6.shape != (4096, 512 * 7 * 7) or fc7.shape != (4096, 4096):
        raise ValueError(f"fc6 and fc7 of a VGG16 are (4096, 25088), (4096, 4096), not {[*fc6.shape]}, {[*fc7.shape]}")
    return layers | {
        "conv6": (fc6.reshape(4096, 512, 7, 7), fc6_bias),
        "conv7": (fc7[:, :, None, None], fc7_bias),
    }


def _reduced(layers: Layers) -> Layers:
    (fc6, fc6_bias), (fc7, fc7_bias) = layers["conv6"], layers["conv7"]
    return layers | {
        "conv6": (fc6[::4, :, ::3, ::3], fc6_bias[::4]),
        "conv7": (fc7[::4, ::4], fc7_bias[::4]),
    }


def _layers(state: Mapping[str, Tensor], prefix: str, *, fc6: str, fc7: str) -> Layers:
    convolutions = {name: _layer(state, f"{prefix}{position}") for name, position in _POSITIONS.items()}
    return convolutions | {"conv6": _layer(state, fc6), "conv7": _layer(state, fc7)}


def _layer(state: Mapping[str, Tensor], name: str) -> tuple[Tensor, Tensor]:
    missing = [key for key in (f"{name}.weight", f"{name}.bias") if key not in state]
    if missing:
        raise ValueError(f"the VGG16 file lacks {' and '.join(missing)}; is it a VGG16 without batch normalisation?")
    return state[f"{name}.weight"], state[f"{name}.bias"]


def _named(layers: Layers, *, reduced: bool) -> dict[str, Tensor]:
    """Tensors under the names of `Detector`, copied."""
    found: dict[str, Tensor] = {}
    for name, (weight, bias) in layers.items():
        part = f"features.{_part(name, reduced=reduced)}.{name}.conv"
        found |= {f"{part}.weight": weight.clone(), f"{part}.bias": bias.clone()}
    return found


def _part(layer: str, *, reduced: bool) -> str:
    """The part of the network that a layer is in, as `ssd_core.vgg` cuts it."""
    if layer in _CONV4_3:
        return "conv4_3"
    return "conv5_3" if layer.startswith("conv5") and not reduced else "conv7"
