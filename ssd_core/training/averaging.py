"""Exponential moving average of a detector's parameters.

The decay rises with the steps, so that the initial weights are soon forgotten: min(decay, (1 + step) / (10 + step)), as
in TensorFlow's ExponentialMovingAverage, which the detectors of its Object Detection API are trained with.

Tested in tests/ssd_core/training/test_practice.py.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

RAMP = 10


class WeightAverage:
    """Averages of all parameters, on their device; equal on all workers, since the parameters are."""

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.module, self.decay = module, decay
        self.values = [parameter.detach().clone() for parameter in module.parameters()]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the parameters after `step` finished steps."""
        decay = min(self.decay, (1 + step) / (RAMP + step))
        torch._foreach_lerp_(self.values, list(self.module.parameters()), 1 - decay)

    def state(self) -> dict[str, Tensor]:
        """Return the state of the module with averages in the place of its parameters."""
        names = [name for name, _ in self.module.named_parameters()]
        return {**self.module.state_dict(), **dict(zip(names, self.values, strict=True))}

    @torch.no_grad()
    def load(self, state: Mapping[str, Tensor]) -> None:
        """Continue from what `state` returned."""
        for (name, _), value in zip(self.module.named_parameters(), self.values, strict=True):
            value.copy_(state[name])
