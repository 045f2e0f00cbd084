"""Parameters in a `.caffemodel`, a NetParameter of caffe.proto; read without Caffe and without executing anything.

NetParameter      layer = 100, in files from before 2015 layers = 2
LayerParameter    name = 1, blobs = 7; V1LayerParameter  name = 4, blobs = 6
BlobProto         shape = 7 { dim = 1 }, before that num, channels, height, width = 1 to 4; data = 5
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

import numpy as np
import torch
from torch import Tensor

from ssd_core.weights.layouts.wire_format import fields, varints

_LAYERS = {100: (1, 7), 2: (4, 6)}  # field number of a layer: field numbers of its name and blobs


def read_caffemodel(content: bytes) -> dict[str, Tensor]:
    """Return float32 tensors by layer and index: `conv1_1/0` is the weight, `conv1_1/1` the bias.

    Raises ValueError if the bytes are not such a file, or are truncated.
    """
    tensors: dict[str, Tensor] = {}
    for number, layer in fields(memoryview(content)):
        if number in _LAYERS and isinstance(layer, memoryview):
            tensors |= _layer(layer, *_LAYERS[number])
    if not tensors:
        raise ValueError("not a Caffe model: no layer in it has parameters")
    return tensors


def _layer(message: memoryview, name_field: int, blobs_field: int) -> dict[str, Tensor]:
    name, blobs = "", []
    for number, value in fields(message):
        if number == name_field and isinstance(value, memoryview):
            name = bytes(value).decode("utf-8", "replace")
        elif number == blobs_field and isinstance(value, memoryview):
            blobs.append(_blob(value))
    return {f"{name}/{place}": blob for place, blob in enumerate(blobs)}


def _blob(message: memoryview) -> Tensor:
    data = bytearray()  # packed, or four bytes at a time in early files
    shape: tuple[int, ...] | None = None
    legacy = [1, 1, 1, 1]
    for number, value in fields(message):
        if isinstance(value, int):
            if 1 <= number <= 4:
                legacy[number - 1] = value
        elif number == 5:
            data += value
        elif number == 7:
            shape = tuple(_dimensions(value))
    sizes = shape if shape is not None else _without_leading_ones(legacy)
    if len(data) != 4 * prod(sizes):
        raise ValueError(f"a Caffe blob of shape {sizes} needs {4 * prod(sizes)} bytes, but has {len(data)}")
    return torch.from_numpy(np.frombuffer(data, "<f4").astype(np.float32).reshape(sizes))


def _dimensions(shape: memoryview) -> Iterator[int]:
    for number, value in fields(shape):
        if number == 1:
            yield from [value] if isinstance(value, int) else varints(value)


def _without_leading_ones(sizes: list[int]) -> tuple[int, ...]:
    """Strip padding from a legacy blob's four sizes: (1, 1, 1, 64) is a bias, (1, 1, 4096, 25088) a dense layer."""
    first = next((place for place, size in enumerate(sizes) if size != 1), 3)
    return tuple(sizes[first:])
