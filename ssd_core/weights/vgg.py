"""Initial weights from a VGG16 trained on ImageNet, and the preprocessing they were trained with.

Supported files: torchvision's `vgg16`; Caffe's VGG_ILSVRC_16_layers, full or reduced; and the reduced VGG16 that
PyTorch ports of SSD start from, under numeric keys, alone or under `vgg.` in a whole SSD. Fully connected layers become
convolutions and, for the reduced network, are subsampled as in DeepLab-LargeFOV (1 of 4 neurons of fc6 and fc7, taps
0, 3 and 6 of the 7x7 kernel; paper section 3). Weights and preprocessing belong together: weights of one kind do not
work with the preprocessing of another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from torch import Tensor

from ssd_core.spec.detector import DetectorSpec, Preprocessing
from ssd_core.weights.layouts import caffe
from ssd_core.weights.layouts.layout import RGB_MEAN, VGG_PLACES
from ssd_core.weights.soundness import any_error_as
from ssd_core.weights.weights import Weights, check_shapes

TORCHVISION = Preprocessing(channel_order="rgb", mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375))
REDUCED = Preprocessing(channel_order="rgb", mean=RGB_MEAN)
CAFFE = Preprocessing(channel_order="bgr", mean=(104.0, 117.0, 123.0))

_CONVOLUTIONS = (
    "conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1", "conv3_2", "conv3_3",
    "conv4_1", "conv4_2", "conv4_3", "conv5_1", "conv5_2", "conv5_3",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Vgg16Weights:
    """Tensors under the names of `Detector`, up to conv7, and the preprocessing they require."""

    state: dict[str, Tensor]
    preprocessing: Preprocessing


@dataclass(frozen=True, kw_only=True)
class _Names:
    """Names of the layers conv1_1 to conv5_3, fc6 and fc7 in one kind of file."""

    layers: tuple[str, ...]
    weight: str = ".weight"
    bias: str = ".bias"
    preprocessing: Preprocessing


_KINDS = (
    _Names(
        layers=(*(f"features.{place}" for place in VGG_PLACES), "classifier.0", "classifier.3"),
        preprocessing=TORCHVISION,
    ),
    *(
        _Names(layers=tuple(f"{prefix}{place}" for place in (*VGG_PLACES, 31, 33)), preprocessing=REDUCED)
        for prefix in ("", "vgg.")
    ),
    _Names(layers=caffe.VGG, weight="/0", bias="/1", preprocessing=CAFFE),
)


def from_vgg16(vgg16: Vgg16Weights, spec: DetectorSpec) -> Weights:
    """Return VGG16 as initial weights: its tensors only, with a specification that has its preprocessing.

    Raises ValueError that states both shapes of a tensor that does not fit.
    """
    check_shapes(spec, vgg16.state)
    return Weights(spec=replace(spec, preprocessing=vgg16.preprocessing), state=vgg16.state)


def vgg16_weights(tensors: Mapping[str, Tensor], *, reduced: bool = True) -> Vgg16Weights:
    """Detect the kind of file by its tensor names and rename the tensors; `reduced` is that of `Vgg16`."""
    for names in _KINDS:
        if f"{names.layers[0]}{names.weight}" in tensors and f"{names.layers[-1]}{names.weight}" in tensors:
            with any_error_as("these weights of a VGG16 cannot be used"):
                state = dict(_state(names, tensors, reduced))
            return Vgg16Weights(state=state, preprocessing=names.preprocessing)
    raise ValueError(
        "not a supported VGG16: expected torchvision's vgg16 (features.0.weight, classifier.0.weight), the "
        "reduced one (0.weight to 33.weight) or Caffe's (conv1_1 to fc7), "
        f"but the first names are {', '.join(list(tensors)[:3]) or 'missing'}"
    )


def _state(names: _Names, tensors: Mapping[str, Tensor], reduced: bool) -> Iterator[tuple[str, Tensor]]:
    layers = [_layer(names, tensors, layer) for layer in names.layers]
    full = layers[-2][0].dim() == 2 or layers[-2][0].shape[2:] == (7, 7)
    if not full and not reduced:
        raise ValueError("this VGG16 is already reduced: the full network starts from torchvision's vgg16 or Caffe's")
    if full:
        layers[-2:] = _fully_connected(layers[-2], layers[-1], reduced)
    for name, layer in zip((*_CONVOLUTIONS, "conv6", "conv7"), layers, strict=True):
        for kind, tensor in zip(("weight", "bias"), layer, strict=True):
            yield f"features.{_part(name, reduced)}.{name}.conv.{kind}", tensor.clone()


def _layer(names: _Names, tensors: Mapping[str, Tensor], layer: str) -> tuple[Tensor, Tensor]:
    keys = f"{layer}{names.weight}", f"{layer}{names.bias}"
    if missing := [key for key in keys if key not in tensors]:
        raise ValueError(f"the VGG16 file lacks {' and '.join(missing)}; is it a VGG16 without batch normalisation?")
    return tensors[keys[0]], tensors[keys[1]]


def _fully_connected(
    fc6: tuple[Tensor, Tensor], fc7: tuple[Tensor, Tensor], reduced: bool
) -> list[tuple[Tensor, Tensor]]:
    """Convert weights and biases of fc6 (4096, 25088) and fc7 (4096, 4096) to those of convolutions."""
    shapes = [*fc6[0].flatten(1).shape], [*fc7[0].flatten(1).shape]
    if shapes != ([4096, 512 * 7 * 7], [4096, 4096]):
        raise ValueError(f"fc6 and fc7 of a VGG16 are [4096, 25088], [4096, 4096], not {shapes[0]}, {shapes[1]}")
    conv6, conv7 = fc6[0].reshape(4096, 512, 7, 7), fc7[0].reshape(4096, 4096, 1, 1)
    if not reduced:
        return [(conv6, fc6[1]), (conv7, fc7[1])]
    return [(conv6[::4, :, ::3, ::3], fc6[1][::4]), (conv7[::4, ::4], fc7[1][::4])]


def _part(layer: str, reduced: bool) -> str:
    """Return the part of the network that holds a layer; see `backbones.vgg.vgg16_blueprint`."""
    if layer in _CONVOLUTIONS[:10]:
        return "conv4_3"
    return "conv5_3" if layer in _CONVOLUTIONS and not reduced else "conv7"
