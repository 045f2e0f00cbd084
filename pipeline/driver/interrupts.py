"""Ctrl-C and SIGTERM: the first asks a run to stop, the second forces it, a third interrupts as usual."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stopping_on_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Within the block, the first two signals call `stop` (`Scheduler.stop`), which must return at once.

    Enter it in the main thread and after `ray.init`, which replaces the handler of SIGTERM.
    """
    left = iter(range(2))

    def handle(_signal: int, _frame: FrameType | None) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt
        stop()

    previous = {number: signal.signal(number, handle) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
