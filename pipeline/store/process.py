"""Identity of a process that survives the reuse of process numbers."""

from __future__ import annotations

import os
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    host: str
    pid: int
    started: str
    """Moment at which the process began, as its system tells it."""

    @classmethod
    def this(cls) -> Process:
        return cls(socket.gethostname(), os.getpid(), start_of(os.getpid()))

    @property
    def is_here(self) -> bool:
        return self.host == socket.gethostname()

    @property
    def is_alive(self) -> bool:
        """Only to be asked of a process of this host."""
        return start_of(self.pid) == self.started


def start_of(pid: int) -> str:
    """When a process began; empty when there is none, or when it is dead and not yet buried."""
    if not Path("/proc/self/stat").exists():
        asked = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
        return asked.stdout.strip()
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    state, ticks_since_boot = fields[0], fields[19]
    return "" if state in "ZX" else ticks_since_boot
