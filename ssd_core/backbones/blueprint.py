"""Layers as plain values, in the order of their modules: networks are built, and their cost computed, from them.

Nothing here imports torch, so that plans stay fast.

Tested in tests/ssd_core/network/test_network_cost.py.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Conv:
    """A convolution, followed by a GroupNorm if the detector has norm_groups."""

    name: str
    channels_in: int
    channels: int
    kernel: int = 3
    stride: int = 1
    padding: int = 1
    dilation: int = 1
    bias: bool = True

    def side(self, before: int) -> int:
        """Side of its output, given the side of its input."""
        return (before + 2 * self.padding - self.dilation * (self.kernel - 1) - 1) // self.stride + 1


@dataclass(frozen=True, kw_only=True)
class Shortcut(Conv):
    """The convolution on a block's shortcut, listed after the block's own: it reads the block's input."""

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
    """Round up as Caffe does; torchvision rounds down."""

    def side(self, before: int) -> int:
        span = before + 2 * self.padding - self.kernel
        return (-(-span // self.stride) if self.round_up else span // self.stride) + 1


Blueprint = tuple[Conv | Pool, ...]
