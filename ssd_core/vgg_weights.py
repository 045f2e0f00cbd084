"""First weights from a VGG16 trained on ImageNet, and the preprocessing they were trained with.

Two files are understood: torchvision's `vgg16`, whose fully connected layers are subsampled here as
DeepLab-LargeFOV does (1 of 4 neurons of fc6 and fc7, taps 0, 3 and 6 of the 7x7 kernel; paper section 3),
and the already reduced VGG16 that PyTorch ports of SSD start from, under numeric keys, alone or below
`vgg.` in a whole SSD. Weights and preprocessing belong together: neither works with the other's.
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


def read_vgg16(stream: IO[bytes]) -> Vgg16Weights:
    """Read a state dict of either kind; nothing in the file is executed."""
    content: Any = read_tensors(stream)
    if not isinstance(content, Mapping) or not all(isinstance(value, Tensor) for value in content.values()):
        raise ValueError("not a VGG16 file: expected a state dict, names with tensors")
    return vgg16_weights(content)


def vgg16_weights(state: Mapping[str, Tensor]) -> Vgg16Weights:
    """Recognise a state dict by its names and bring it to ours."""
    if "features.0.weight" in state and "classifier.0.weight" in state:
        return Vgg16Weights(state=_from_torchvision(state), preprocessing=TORCHVISION)
    for prefix in ("", "vgg."):
        if f"{prefix}0.weight" in state and f"{prefix}33.weight" in state:
            return Vgg16Weights(state=_from_reduced(state, prefix), preprocessing=REDUCED)
    raise ValueError(
        "not a VGG16 that can be used: expected torchvision's vgg16 (features.0.weight, classifier.0.weight) or the "
        f"reduced one (0.weight to 33.weight), but the first names are {', '.join(list(state)[:3]) or 'missing'}"
    )


def _from_torchvision(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    found = _convolutions(state, "features.")
    fc6, fc6_bias = _layer(state, "classifier.0")
    fc7, fc7_bias = _layer(state, "classifier.3")
    if fc6.shape != (4096, 512 * 7 * 7) or fc7.shape != (4096, 4096):
        raise ValueError(f"fc6 and fc7 of a VGG16 are (4096, 25088), (4096, 4096), not {[*fc6.shape]}, {[*fc7.shape]}")
    found |= _named("conv6", fc6.reshape(4096, 512, 7, 7)[::4, :, ::3, ::3], fc6_bias[::4])
    return found | _named("conv7", fc7[::4, ::4, None, None], fc7_bias[::4])


def _from_reduced(state: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    found = _convolutions(state, prefix)
    found |= _named("conv6", *_layer(state, f"{prefix}31"))
    return found | _named("conv7", *_layer(state, f"{prefix}33"))


def _convolutions(state: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for name, position in _POSITIONS.items():
        found |= _named(name, *_layer(state, f"{prefix}{position}"))
    return found


def _layer(state: Mapping[str, Tensor], name: str) -> tuple[Tensor, Tensor]:
    missing = [key for key in (f"{name}.weight", f"{name}.bias") if key not in state]
    if missing:
        raise ValueError(f"the VGG16 file lacks {' and '.join(missing)}; is it a VGG16 without batch normalisation?")
    return state[f"{name}.weight"], state[f"{name}.bias"]


def _named(name: str, weight: Tensor, bias: Tensor) -> dict[str, Tensor]:
    part = f"features.{'conv4_3' if name in _CONV4_3 else 'conv7'}.{name}.conv"
    return {f"{part}.weight": weight.clone(), f"{part}.bias": bias.clone()}
