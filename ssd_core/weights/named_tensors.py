"""Tensors by name from a weights file of any format: PyTorch's (both formats), npz, caffemodel.

The format is detected by the first bytes. Nothing in a file is executed.

Tested in tests/ssd_core/weights/test_any_weights.py.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from math import prod
from typing import IO, Any

import numpy as np
import numpy.lib.format as npy
import torch
from torch import Tensor

from ssd_core.weights.layouts.caffemodel import read_caffemodel
from ssd_core.weights.soundness import any_error_as, check_size, check_tensors
from ssd_core.weights.tensor_file import read_tensors

_WRAPPERS = ("model", "state_dict", "model_state_dict")
_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
_PARALLEL = "module."
"""Prefix that DataParallel adds to every name."""


def read_named_tensors(stream: IO[bytes]) -> dict[str, Tensor]:
    """Read a state dict, also inside a checkpoint; arrays of an npz; or blobs of a Caffe model as `layer/index`.

    Raises ValueError if the file is none of these or too large, or if its names hold anything but tensors that are
    stored in full, of finite numbers.
    """
    check_size(stream)
    tensors = _read(stream)
    check_tensors(tensors)
    return tensors


def _read(stream: IO[bytes]) -> dict[str, Tensor]:
    start = stream.read(2)
    stream.seek(0)
    if start == b"PK" and _is_npz(stream):
        return _read_npz(stream)
    if start[:1] in (b"P", b"\x80"):
        return _state_dict(read_tensors(stream))
    with any_error_as("not an intact file of tensors: neither PyTorch, npz nor Caffe"):
        return read_caffemodel(stream.read())


def _is_npz(stream: IO[bytes]) -> bool:
    with zipfile.ZipFile(stream) as archive:
        names = archive.namelist()
    stream.seek(0)
    return all(name.endswith(".npy") for name in names)


def _read_npz(stream: IO[bytes]) -> dict[str, Tensor]:
    with any_error_as("not an npz file of numeric arrays"), zipfile.ZipFile(stream) as archive:
        return {info.filename.removesuffix(".npy"): _array(archive, info) for info in archive.infolist()}


def _array(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Tensor:
    """Read an array. Its header may declare any shape, and NumPy would allocate it before it reads the numbers."""
    with archive.open(info) as member:
        shape, _, kind = _HEADERS[npy.read_magic(member)](member)
    if (declared := prod(shape) * kind.itemsize) > info.file_size:
        raise ValueError(f"{info.filename} of shape {shape} needs {declared:,} bytes, but holds {info.file_size:,}")
    with archive.open(info) as member:
        return torch.from_numpy(np.ascontiguousarray(npy.read_array(member, allow_pickle=False)))


def _state_dict(content: Any) -> dict[str, Tensor]:
    if isinstance(content, Mapping):
        inner = next((content[name] for name in _WRAPPERS if isinstance(content.get(name), Mapping)), None)
        content = content if inner is None else inner
    if not isinstance(content, Mapping) or not content:
        raise ValueError("expected a state dict that maps names to tensors")
    if strange := [str(name) for name, value in content.items() if not isinstance(value, Tensor)]:
        raise ValueError(f"expected a state dict that maps names to tensors, but {strange[0]} is not a tensor")
    return {str(name).removeprefix(_PARALLEL): tensor for name, tensor in content.items()}
