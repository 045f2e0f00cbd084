"""What a training tells while it runs: points of its curves, throughput, and where it is.

Tested in tests/ssd_core/training/test_trainer.py.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


class Listener(Protocol):
    """Receives the record of a training (first worker only)."""

    def point(self, step: int, values: Mapping[str, float]) -> None:
        """One point of the curves, after `step` finished steps."""

    def progress(self, step: int, total: int, note: str) -> None:
        """Where the training is."""


@dataclass
class Stopwatch:
    """Time since the last reading, and the part of it spent waiting for data."""

    clock: float = field(default_factory=time.perf_counter)
    waited: float = 0.0
    images: int = 0

    def read(self) -> dict[str, float]:
        """`images_per_second` and `data_wait_share` since the last reading; starts anew."""
        now = time.perf_counter()
        seconds = max(now - self.clock, 1e-9)
        reading = {
            "throughput/images_per_second": self.images / seconds,
            "throughput/data_wait_share": self.waited / seconds,
        }
        self.clock, self.waited, self.images = now, 0.0, 0
        return reading
