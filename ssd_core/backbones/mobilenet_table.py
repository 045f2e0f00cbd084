"""The first 13 blocks of MobileNetV3-Large (Howard et al. 2019, Table 1) and their widths, without torch.

Tested in tests/ssd_core/backbones/test_mobilenet.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Block:
    """In the order of torchvision's arguments."""

    channels_in: int
    kernel: int
    expanded: int
    channels: int
    squeeze_and_excitation: bool
    activation: Literal["RE", "HS"]
    stride: int


BLOCKS = (
    Block(16, 3, 16, 16, False, "RE", 1),
    Block(16, 3, 64, 24, False, "RE", 2),
    Block(24, 3, 72, 24, False, "RE", 1),
    Block(24, 5, 72, 40, True, "RE", 2),
    Block(40, 5, 120, 40, True, "RE", 1),
    Block(40, 5, 120, 40, True, "RE", 1),
    Block(40, 3, 240, 80, False, "HS", 2),
    Block(80, 3, 200, 80, False, "HS", 1),
    Block(80, 3, 184, 80, False, "HS", 1),
    Block(80, 3, 184, 80, False, "HS", 1),
    Block(80, 3, 480, 112, True, "HS", 1),
    Block(112, 3, 672, 112, True, "HS", 1),
    Block(112, 5, 672, 160, True, "HS", 2),
)


def block_widths(width: float) -> dict[str, int]:
    """Numbers of channels that a norm follows, by the names of the layers: those of the table times `width`."""
    stem = {"stem": multiple_of_8(BLOCKS[0].channels_in * width)}
    *whole, last = list(enumerate(BLOCKS, start=1))
    expanded = {f"expansion{number}": multiple_of_8(block.expanded * width) for number, block in (*whole, last)}
    return stem | expanded | {f"block{number}": multiple_of_8(block.channels * width) for number, block in whole}


def multiple_of_8(channels: float) -> int:
    """The nearest multiple of 8 that is at least 8 and not more than a tenth lower, as torchvision rounds."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest if nearest >= 0.9 * channels else nearest + 8
