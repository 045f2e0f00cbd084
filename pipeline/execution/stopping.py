"""What running jobs are due after a stop: first to save their state, then to end, at last to be killed.

Tested in tests/pipeline/execution/test_scheduler.py.
"""

from __future__ import annotations

from enum import IntEnum

SAVE_SECONDS = 20.0
"""How long stages that save their state on a stop may take before they are cancelled."""

CANCEL_SECONDS = 30.0
"""How long after a stop the jobs that still run are killed."""


class Step(IntEnum):
    """In this order."""

    NONE = 0
    SAVE = 1
    CANCEL = 2
    KILL = 3


def due(seconds: float, *, at_once: bool) -> Step:
    """The step due `seconds` after a stop; `at_once` after a second one."""
    if at_once or seconds > CANCEL_SECONDS:
        return Step.KILL
    return Step.CANCEL if seconds > SAVE_SECONDS else Step.SAVE
