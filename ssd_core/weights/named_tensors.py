"""Tensors by name from a weights file of any format: PyTorch's (both formats), npz, caffemodel.

The format is detected by the first bytes. Nothing in a file is executed.

Tested in tests/ssd_core/weights/test_any_weights.py.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from typing import IO, Any

import numpy as np
import torch
from torch import Tensor

from ssd_core.weights.layouts.caffemodel import read_caffemodel
from ssd_core.weights.tensor_file import read_tensors

_WRAPPERS = ("model", "state_dict", "model_state_dict")
_PARALLEL = "module."
"""Prefix that DataParallel adds to every name."""


def read_named_tensors(stream: IO[bytes]) -> dict[str, Tensor]:
    """Read a state dict, also inside a checkpoint; arrays of an npz; or blobs of a Caffe model as `layer/index`.

    Raises ValueError if the file is none of these or its names hold anything but tensors.
    """
    start = stream.read(2)
    stream.seek(0)
    if start == b"PK" and _is_npz(stream):
        return _read_npz(stream)
    if start[:1] in (b"P", b"\x80"):
        return _state_dict(read_tensors(stream))
    try:
        return read_caffemodel(stream.read())
    except ValueError as error:
        raise ValueError(f"not an intact file of tensors: neither PyTorch, npz nor Caffe ({error})") from error


def _is_npz(stream: IO[bytes]) -> bool:
    try:
        with zipfile.ZipFile(stream) as archive:
            return all(name.endswith(".npy") for name in archive.namelist())
    except zipfile.BadZipFile:
        return False
    finally:
        stream.seek(0)


def _read_npz(stream: IO[bytes]) -> dict[str, Tensor]:
    try:
        with np.load(stream, allow_pickle=False) as arrays:
            return {name: torch.from_numpy(np.ascontiguousarray(arrays[name])) for name in arrays.files}
    except (ValueError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"not an npz file of numeric arrays: {error}") from error


def _state_dict(content: Any) -> dict[str, Tensor]:
    if isinstance(content, Mapping):
        inner = next((content[name] for name in _WRAPPERS if isinstance(content.get(name), Mapping)), None)
        content = content if inner is None else inner
    if not isinstance(content, Mapping) or not content:
        raise ValueError("expected a state dict that maps names to tensors")
    if strange := [str(name) for name, value in content.items() if not isinstance(value, Tensor)]:
        raise ValueError(f"expected a state dict that maps names to tensors, but {strange[0]} is not a tensor")
    return {str(name).removeprefix(_PARALLEL): tensor for name, tensor in content.items()}
