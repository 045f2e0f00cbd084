"""Arithmetic of the network: fp32 by default, bf16 by choice where the hardware has it. The loss is always fp32."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import torch

Precision = Literal["fp32", "bf16"]


def autocast(precision: Precision, device: torch.device) -> AbstractContextManager[object]:
    """The context in which the forward pass runs."""
    if precision == "fp32":
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)


def check_precision(precision: Precision, device: torch.device) -> None:
    """Raises ValueError when the device cannot compute in this precision."""
    if precision == "bf16" and not has_bf16(device):
        raise ValueError(f"precision bf16 is not supported by this {device.type} device: use precision=fp32")


def has_bf16(device: torch.device) -> bool:
    """True where bf16 runs in hardware: Ampere or later, or a CPU with AVX512-BF16 or AMX."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
