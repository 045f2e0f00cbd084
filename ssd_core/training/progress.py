"""What a training reports while it runs: points of its curves, throughput, and progress.

Tested in tests/ssd_core/training/test_trainer.py.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ssd_core.training.compilation import Verdict


class Listener(Protocol):
    """Receives what a training reports (on the first worker only)."""

    def point(self, step: int, values: Mapping[str, float]) -> None:
        """Receive one point of the curves, after `step` finished steps."""

    def progress(self, step: int, total: int, note: str) -> None:
        """Receive the progress of the training."""


class StepRecord(Protocol):
    """Receives what each step was computed from, and its loss (on the first worker only)."""

    def steps(self, losses: Sequence[float], digests: Sequence[int]) -> None:
        """Receive the loss of each step since the last call, and the digest of its images (`data.batch_digest`)."""

    def compilation(self, step: int, verdict: Verdict) -> None:
        """Receive whether the steps after `step` use a compiled network, in a training that asks for one."""

    def saving(self) -> None:
        """The steps so far are about to be saved as a checkpoint."""


@dataclass
class Stopwatch:
    """Time since the last reading, and the part of it spent waiting for data."""

    clock: float = field(default_factory=time.perf_counter)
    waited: float = 0.0
    images: int = 0

    def read(self) -> dict[str, float]:
        """Return `images_per_second` and `data_wait_share` since the last reading, and reset."""
        now = time.perf_counter()
        seconds = max(now - self.clock, 1e-9)
        reading = {
            "throughput/images_per_second": self.images / seconds,
            "throughput/data_wait_share": self.waited / seconds,
        }
        self.clock, self.waited, self.images = now, 0.0, 0
        return reading
