"""Limits that every file of weights must keep: in bytes, checked by its headers, and in the values of its tensors.

Tested in tests/ssd_core/weights/test_soundness.py.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO

import torch
from torch import Tensor

MOST_BYTES = 4 << 30
"""Largest file of weights and most memory of its tensors, 4 GiB: eight times VGG16 in full, the largest in use."""


def check_size(stream: IO[bytes]) -> None:
    """Raise ValueError if a file is too large, by its size or, for a zip file, by the total in its directory."""
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    if size <= MOST_BYTES and stream.read(2) == b"PK":
        with any_error_as("not an intact file of tensors"), zipfile.ZipFile(stream) as archive:
            size = max(size, sum(info.file_size for info in archive.infolist()))
    stream.seek(0)
    if size > MOST_BYTES:
        raise ValueError(f"it holds {size:,} bytes, but files of weights are read up to {MOST_BYTES:,}")


def check_tensors(tensors: Mapping[str, Tensor]) -> None:
    """Raise ValueError that names a tensor which is not stored in full, or whose numbers are not all finite."""
    for name, tensor in tensors.items():
        _check_storage(name, tensor)
    if (total := sum(tensor.nbytes for tensor in tensors.values())) > MOST_BYTES:
        raise ValueError(f"its tensors take {total:,} bytes, but weights are read up to {MOST_BYTES:,}")
    for name, tensor in tensors.items():
        _check_finite(name, tensor)


def _check_storage(name: str, tensor: Tensor) -> None:
    """Raise ValueError unless the numbers lie in memory: an expanded tensor repeats a few by strides of 0."""
    if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_complex() or tensor.device.type != "cpu":
        raise ValueError(f"{name} is no plain tensor of real numbers: it is {_kind(tensor)}")
    if tensor.nbytes > (stored := tensor.untyped_storage().nbytes()):
        raise ValueError(
            f"{name} of shape {tuple(tensor.shape)} takes {tensor.nbytes:,} bytes, but the file holds {stored:,} of "
            "them: it is expanded; save it after .contiguous()"
        )


def _kind(tensor: Tensor) -> str:
    return f"{tensor.layout}, {tensor.dtype}, on {tensor.device.type}".replace("torch.", "")


def _check_finite(name: str, tensor: Tensor) -> None:
    if not tensor.is_floating_point() or not tensor.numel():
        return
    low, high = tensor.aminmax()  # NaN if any is; no copy of the tensor, unlike isfinite
    if not (low.isfinite() and high.isfinite()):
        raise ValueError(
            f"{name} has {int((~tensor.isfinite()).sum()):,} of {tensor.numel():,} values that are NaN or infinite: "
            "the training that wrote it diverged; use an earlier checkpoint"
        )


@contextmanager
def any_error_as(problem: str) -> Iterator[None]:
    """Raise every error as a ValueError that starts with `problem`: malformed files raise errors of any type."""
    try:
        yield
    except Exception as error:
        raise ValueError(f"{problem}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """Return the first line of an error, with its type where the line alone says little."""
    lines = str(error).strip().splitlines()
    if lines and isinstance(error, (ValueError, RuntimeError)):
        return lines[0]
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
