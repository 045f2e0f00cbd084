"""Ways to compute the forward pass whose speeds are compared; plain data, without torch.

Tested in tests/ssd_core/detection/test_speed.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class SpeedMode:
    """fp32 in the layout of the paper's time by default."""

    precision: Literal["fp32", "tf32", "bf16"] = "fp32"
    """fp32 without, tf32 with TF32 in convolutions; bf16 by autocast, where what stays in fp32 may use TF32."""

    channels_last: bool = False
    compiled: bool = False
    """By torch.compile, with its usual settings; compiling is a part of the warm-up."""

    @property
    def name(self) -> str:
        """Such as bf16-channels_last-compiled."""
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
"""From the paper's arithmetic to what a GPU of today does best."""
