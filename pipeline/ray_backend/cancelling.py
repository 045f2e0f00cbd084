"""A worker's side of Ray's cancel, which is a SIGINT.

Tested in tests/pipeline/driver/test_interrupts.py.
"""

from __future__ import annotations

import signal


def hear_cancel() -> None:
    """Let SIGINT raise KeyboardInterrupt from now on.

    A worker ignores it when its driver was started as a background job of a shell, and after Ray Train, which leaves a
    handler behind that does nothing.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
