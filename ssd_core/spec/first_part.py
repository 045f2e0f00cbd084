"""The first part of a schedule, for trainings that end early or are continued.

Tested in tests/stages/training/test_part.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from ssd_core.spec.schedule import Schedule


@dataclass(frozen=True, kw_only=True)
class FirstPart(Schedule):
    """The learning rates of the whole schedule, over its first `iterations`."""

    whole: Schedule

    def learning_rate(self, iteration: int) -> float:
        return self.whole.learning_rate(iteration)
