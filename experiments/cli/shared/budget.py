"""Time that a command may take, for commands that run in steps: no step is started that would end later.

Tested in tests/experiments/cli/claims/test_until_decided.py.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

UNITS = {"d": 86_400.0, "h": 3600.0, "m": 60.0, "s": 1.0}


@dataclass(frozen=True)
class Budget:
    """Time for this command."""

    seconds: float | None
    """None for any."""

    start: float
    clock: Callable[[], float] = time.monotonic

    @classmethod
    def of(cls, text: str) -> Budget:
        """The value of --budget, from now on; empty for any time. Raises PipelineError for one that is not a time."""
        return cls(seconds(text) if text else None, time.monotonic())

    def refusal(self, needed: float) -> str:
        """Why a step that takes so many seconds does not fit; empty if it does."""
        from experiments.cli.shared.printing import duration

        if self.seconds is None:
            return ""
        left = self.seconds - (self.clock() - self.start)
        if needed <= left:
            return ""
        return f"it would take about {duration(needed)}, and {duration(max(left, 0))} of the budget is left"


def seconds(text: str) -> float:
    """Duration such as 12h, 90m or 1d12h. Raises PipelineError for any other text."""
    from pipeline.errors import PipelineError

    parts = re.findall(r"(\d+(?:\.\d+)?)([dhms])", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise PipelineError(f"--budget {text} is not a time: write it as 12h, 90m, 1h30m or 2d")
    return sum(float(number) * UNITS[unit] for number, unit in parts)
