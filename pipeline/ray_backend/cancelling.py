"""The worker's side of Ray's cancellation, which is a SIGINT.

Tested in tests/pipeline/driver/test_interrupts.py.
"""

from __future__ import annotations

import signal


def hear_cancel() -> None:
    """Make SIGINT raise KeyboardInterrupt from now on.

    A worker would ignore it if its driver was started as a background job of a shell, or after Ray Train, which leaves
    behind a handler that does nothing.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
