"""Identity of a process, robust against reused process ids; stored in leases, events and MLflow as JSON.

Tested in tests/pipeline/store/test_lease.py.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from typing import Annotated, TypedDict

import psutil
from msgspec import Meta

CLOCK_SECONDS = 2.0
"""Tolerance for start times: they are wall-clock times and shift when the clock is corrected."""


class StoredProcess(TypedDict):
    """A process as JSON."""

    host: str
    pid: Annotated[int, Meta(ge=0, le=2**31 - 1)]
    started: float | str
    """Earlier versions wrote text in a system unit."""


@dataclass(frozen=True)
class Process:
    host: str
    pid: int
    started: float
    """Seconds since 1970."""

    @classmethod
    def this(cls) -> Process:
        return cls.of(os.getpid())

    @classmethod
    def of(cls, pid: int) -> Process:
        return cls(socket.gethostname(), pid, psutil.Process(pid).create_time())

    @classmethod
    def from_json(cls, content: StoredProcess) -> Process:
        """A stored process; it counts as dead if its start is text."""
        started = content["started"]
        return cls(content["host"], content["pid"], 0.0 if isinstance(started, str) else started)

    @property
    def is_here(self) -> bool:
        return self.host == socket.gethostname()

    @property
    def is_alive(self) -> bool:
        """Whether the process still runs; valid only for processes of this host. A zombie counts as dead."""
        try:
            process = psutil.Process(self.pid)
            started: float = process.create_time()
            ended = process.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False
        return not ended and abs(started - self.started) < CLOCK_SECONDS
