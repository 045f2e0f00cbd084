"""The workers of one training: rank, world size, device, and collective operations.

Tested in tests/ssd_core/training/test_trainer.py.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel


@dataclass(frozen=True, kw_only=True)
class World:
    """A single worker by default. A `size` above 1 requires an initialised torch process group."""

    rank: int = 0
    size: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def sum(self, values: Tensor) -> Tensor:
        """Return the element-wise sum over the workers, the same on each."""
        if self.size > 1:
            dist.all_reduce(values)
        return values

    def gather(self, value: Any) -> list[Any]:
        """Return the values of all workers by rank, on each; slow, for rare use."""
        values = [value] * self.size
        if self.size > 1:
            dist.all_gather_object(values, value)
        return values

    def from_first(self, number: int) -> int:
        """Broadcast a number from the first worker."""
        return int(self.sum(torch.tensor(number if self.is_first else 0, device=self.device)))

    def distribute(self, module: nn.Module) -> nn.Module:
        """Return the module to call in training, wrapped so that gradients are averaged over the workers."""
        if self.size == 1:
            return module
        devices = [self.device] if self.device.type == "cuda" else None
        return DistributedDataParallel(module, device_ids=devices, gradient_as_bucket_view=True)


def without_averaging(module: nn.Module) -> AbstractContextManager[None]:
    """Return the context in which a module of `World.distribute` adds to its gradients on each worker alone."""
    if isinstance(module, DistributedDataParallel):
        return module.no_sync()
    return nullcontext()
