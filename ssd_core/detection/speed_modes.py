"""Modes of computing the forward pass whose speeds are compared; plain data, without torch.

Tested in tests/ssd_core/detection/test_speed.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class SpeedMode:
    """Precision, memory layout and compilation; by default fp32 in contiguous layout, as in the paper."""

    precision: Literal["fp32", "tf32", "bf16"] = "fp32"
    """fp32 without TF32; tf32 with TF32 in convolutions; bf16 by autocast, where the remaining fp32 may use TF32."""

    channels_last: bool = False
    compiled: bool = False
    """Use torch.compile with its default settings; compilation happens during warm-up."""

    @property
    def name(self) -> str:
        """Name of the mode, such as bf16-channels_last-compiled."""
        parts = (self.precision, "channels_last" * self.channels_last, "compiled" * self.compiled)
        return "-".join(filter(None, parts))


PLAIN = SpeedMode()
MODES = (
    PLAIN,
    SpeedMode(precision="tf32"),
    SpeedMode(precision="bf16"),
    SpeedMode(precision="bf16", channels_last=True),
    SpeedMode(precision="bf16", channels_last=True, compiled=True),
)
"""Modes from the paper's arithmetic to the fastest on a current GPU."""
