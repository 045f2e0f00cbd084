"""Layers as plain values, in the order of their modules: a network is built from them, its work is counted from them.

Nothing here imports torch, so that plans stay fast.

Tested in tests/ssd_core/network/test_network_cost.py.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Conv:
    """A convolution, followed by a GroupNorm where the detector has groups."""

    name: str
    channels_in: int
    channels: int
    kernel: int = 3
    stride: int = 1
    padding: int = 1
    dilation: int = 1
    bias: bool = True

    def side(self, before: int) -> int:
        """Side of its map, from that of the map before."""
        return (before + 2 * self.padding - self.dilation * (self.kernel - 1) - 1) // self.stride + 1


@dataclass(frozen=True, kw_only=True)
class Shortcut(Conv):
    """The convolution beside a block, after those of the block: it reads the block's input, and its map is added."""

    def side(self, before: int) -> int:
        return before


@dataclass(frozen=True, kw_only=True)
class Pool:
    """Max pooling."""

    name: str
    kernel: int = 2
    stride: int = 2
    padding: int = 0
    round_up: bool = True
    """As Caffe's; torchvision's rounds down."""

    def side(self, before: int) -> int:
        span = before + 2 * self.padding - self.kernel
        return (-(-span // self.stride) if self.round_up else span // self.stride) + 1


Blueprint = tuple[Conv | Pool, ...]
