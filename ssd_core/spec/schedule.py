"""Learning rate as a function of the iteration: the paper's steps, or a cosine; with an optional linear warm-up.

Paper section 3.1: 40k iterations at 1e-3, 10k at 1e-4, 10k at 1e-5. Iterations count from 0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import cos, isfinite, pi
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Learning rate schedule; lengths are iterations of the global batch."""

    iterations: int = 60_000
    base_lr: float = 1e-3
    drops: tuple[int, ...] = (40_000, 50_000)
    """Iterations at which the rate is multiplied by `gamma`."""

    gamma: float = 0.1
    warmup: int = 0
    """Iterations of a linear rise from `base_lr / warmup`; the paper has none."""

    curve: Literal["steps", "cosine"] = "steps"
    """steps is the paper's; cosine falls from the end of the warm-up to zero after the last iteration (Loshchilov and
    Hutter 2017, without restarts), and ignores `drops` and `gamma`."""

    def __post_init__(self) -> None:
        if self.iterations < 1:
            raise ValueError(f"a schedule needs at least one iteration, but has {self.iterations}")
        if list(self.drops) != sorted(set(self.drops)):
            raise ValueError(f"drops must be increasing, but are {self.drops}")
        for name, rate in (("base_lr", self.base_lr), ("gamma", self.gamma), ("warmup", self.warmup)):
            if not (isfinite(rate) and rate >= 0):
                raise ValueError(f"{name} must be a number of at least 0, but is {rate}")

    def learning_rate(self, iteration: int) -> float:
        """Return the rate of the step that follows `iteration` finished steps."""
        rise = min(1.0, (iteration + 1) / self.warmup) if self.warmup else 1.0
        if self.curve == "cosine":
            return self.base_lr * self._cosine(iteration) * rise
        passed = sum(iteration >= drop for drop in self.drops)
        return self.base_lr * self.gamma**passed * rise

    def _cosine(self, iteration: int) -> float:
        """Share of the rate: 1 until the end of the warm-up, then falling to 0 at the end of the schedule."""
        passed = max(0.0, iteration - self.warmup) / max(1.0, self.iterations - self.warmup)
        return (1 + cos(pi * min(1.0, passed))) / 2

    def scaled(self, factor: float) -> Schedule:
        """Return a schedule of the same shape over `factor` times as many iterations."""
        return replace(
            self,
            iterations=round(self.iterations * factor),
            drops=tuple(round(drop * factor) for drop in self.drops),
            warmup=round(self.warmup * factor),
        )
