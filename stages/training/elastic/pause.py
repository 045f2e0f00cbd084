"""A request to a running group of workers: save a checkpoint and end, so that another group continues.

The file `work/pause` is written where there is a reason: by the stage, when nodes join or are drained, and by a worker
that receives SIGTERM, as Slurm sends before it takes a node away. The first worker looks for it.

Tested in tests/stages/training/elastic/test_pause.py.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType

from pipeline.folder import Folder

PAUSE = "pause"
POLL_SECONDS = 2.0


def request_pause(work: Folder) -> None:
    work.write_bytes(PAUSE, b"")


def withdraw_pause(work: Folder) -> None:
    work.delete(PAUSE)


@dataclass
class Pausing:
    """Whether the group is to end, because of a pause or a stop of the whole run; cheap enough for every step."""

    work: Folder
    stop_requested: Callable[[], bool]
    clock: Callable[[], float] = time.monotonic
    is_pausing: bool = False
    _polled: float = field(default=float("-inf"))

    def __call__(self) -> bool:
        now = self.clock()
        if not self.is_pausing and now - self._polled >= POLL_SECONDS:
            self._polled = now
            self.is_pausing = self.work.exists(PAUSE)
        return self.is_pausing or self.stop_requested()


def pause_on_sigterm(work: Folder) -> None:
    """From now on, the first SIGTERM of this process requests a pause; the second ends it as before.

    Call it in the main thread.
    """
    before = signal.getsignal(signal.SIGTERM)

    def handle(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, before)
        request_pause(work)

    signal.signal(signal.SIGTERM, handle)
