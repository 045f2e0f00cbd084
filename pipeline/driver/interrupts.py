"""Ctrl-C, SIGTERM, a closed terminal: the first asks a run to stop, the second forces it, a third interrupts as usual.

A closed terminal sends SIGHUP to every process that it started. Under `nohup`, which ignores SIGHUP, it stays ignored.
"""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def stopping_on_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Within the block, the first two signals call `stop` (`Scheduler.stop`), which must return at once.

    Enter it in the main thread and after `ray.init`, which replaces the handler of SIGTERM.
    """
    left = iter(range(2))

    def handle(number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGHUP:
            _leave_terminal()
        if next(left, None) is None:
            raise KeyboardInterrupt
        stop()

    previous = {number: signal.signal(number, handle) for number in SIGNALS if not _is_ignored_hangup(number)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def interrupt_on_hangup() -> None:
    """From now on, a closed terminal raises KeyboardInterrupt as Ctrl-C does."""

    def handle(_number: int, _frame: FrameType | None) -> NoReturn:
        _leave_terminal()
        raise KeyboardInterrupt

    if not _is_ignored_hangup(signal.SIGHUP):
        signal.signal(signal.SIGHUP, handle)


@contextmanager
def hangup_held() -> Iterator[None]:
    """Processes started meanwhile, and theirs, are never reached by SIGHUP; this one receives it after the block."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _is_ignored_hangup(number: int) -> bool:
    return number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN


def _leave_terminal() -> None:
    """Send what is still printed nowhere: each write to a closed terminal fails."""
    for descriptor in (0, 1, 2):
        with suppress(OSError):
            if stat.S_ISCHR(os.fstat(descriptor).st_mode):
                nowhere = os.open(os.devnull, os.O_RDWR)
                os.dup2(nowhere, descriptor)
                os.close(nowhere)
