"""An all-reduce over the workers of a group, compared with the exact sum, and its bandwidth.

Tested in tests/stages/training/selfcheck/test_selfcheck.py.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch
from torch import Tensor

from ssd_core.training.world import World

REPEATS = 5
PERIOD = 1024
"""Values repeat after so many: sums of small integers are exact in fp32."""

GPU_BYTES = 256 * 2**20
CPU_BYTES = 16 * 2**20


@dataclass(frozen=True, kw_only=True)
class Reduction:
    wrong: tuple[int, ...]
    """Ranks of the workers that received another sum."""

    bytes: int
    seconds: float
    """Of the quickest repeat, on the slowest worker."""

    workers: int

    @property
    def bandwidth(self) -> float:
        """Bytes per second through the slowest link, as nccl-tests count them: each is sent and received in a ring."""
        return 2 * (self.workers - 1) / self.workers * self.bytes / self.seconds if self.seconds else 0.0


def reduce_exactly(world: World) -> Reduction:
    """Sum a known tensor over the workers; the same result on each worker."""
    size = GPU_BYTES if world.device.type == "cuda" else CPU_BYTES
    count = size // 4
    sums, seconds = _own(count, world.rank, world.device), []
    is_exact = torch.equal(world.sum(sums.clone()), expected_sum(count, world.size, world.device))
    for _ in range(REPEATS):
        values = sums.clone()
        world.from_first(0)  # all begin at once
        began = time.perf_counter()
        world.sum(values)
        float(values[0])  # waits for a GPU
        seconds.append(time.perf_counter() - began)
        is_exact &= torch.equal(values, expected_sum(count, world.size, world.device))
    found = world.gather((is_exact, min(seconds)))
    wrong = tuple(rank for rank, (exact, _) in enumerate(found) if not exact)
    return Reduction(wrong=wrong, bytes=size, seconds=max(each for _, each in found), workers=world.size)


def expected_sum(count: int, workers: int, device: torch.device) -> Tensor:
    """The sum of the tensors of all workers: workers * i + 0 + 1 + ... + (workers - 1)."""
    return workers * _own(count, 0, device) + workers * (workers - 1) // 2


def _own(count: int, rank: int, device: torch.device) -> Tensor:
    """The tensor of one worker: i + rank, for i from 0 to `PERIOD` - 1, again and again."""
    return torch.arange(count, device=device).remainder(PERIOD).add(rank).float()
