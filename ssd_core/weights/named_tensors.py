"""Tensors by name from a file of any kind that weights come in: PyTorch's (both formats), npz, caffemodel.

The kind is told by the first bytes. Nothing in a file is executed.

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
"""What DataParallel puts before every name."""


def read_named_tensors(stream: IO[bytes]) -> dict[str, Tensor]:
    """A state dict, also inside a checkpoint; arrays of an npz; blobs of a Caffe model as `layer/place`.

    Raises ValueError when the file is none of these or holds anything else under the names.
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
        raise ValueError(f"not a whole file of tensors: no PyTorch file, no npz, no Caffe model ({error})") from error


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
        raise ValueError(f"not an npz file of numbers: {error}") from error


def _state_dict(content: Any) -> dict[str, Tensor]:
    if isinstance(content, Mapping):
        inner = next((content[name] for name in _WRAPPERS if isinstance(content.get(name), Mapping)), None)
        content = content if inner is None else inner
    if not isinstance(content, Mapping) or not content:
        raise ValueError("expected a state dict, names with tensors")
    if strange := [str(name) for name, value in content.items() if not isinstance(value, Tensor)]:
        raise ValueError(f"expected a state dict, names with tensors, but {strange[0]} is none")
    return {str(name).removeprefix(_PARALLEL): tensor for name, tensor in content.items()}
