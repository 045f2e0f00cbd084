"""Precision of the network: fp32 by default, bf16 on request where the hardware supports it; the loss stays fp32."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import torch

Precision = Literal["fp32", "bf16"]


def autocast(precision: Precision, device: torch.device) -> AbstractContextManager[object]:
    """Return the context manager in which the forward pass runs."""
    if precision == "fp32":
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)


def check_precision(precision: Precision, device: torch.device) -> None:
    """Raise ValueError if the device does not support this precision."""
    if precision == "bf16" and not has_bf16(device):
        raise ValueError(f"precision bf16 is not supported by this {device.type} device: use precision=fp32")


def has_bf16(device: torch.device) -> bool:
    """Return whether bf16 runs in hardware: Ampere or later, or a CPU with AVX512-BF16 or AMX."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
