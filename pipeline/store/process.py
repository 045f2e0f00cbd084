"""Identity of a process, robust against reused process ids; stored in leases, events and MLflow as JSON.

Hosts are told apart by the boot of their kernel and the process namespace, not by name: names repeat in containers and
behind cloned images. Of a process on another host only a common Ray cluster knows whether it ended.

Tested in tests/pipeline/store/test_process.py, tests/pipeline/store/test_lease.py.
"""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, NotRequired, TypedDict

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

    machine: NotRequired[str]
    job: NotRequired[str]


@dataclass(frozen=True)
class Process:
    host: str
    pid: int
    started: float
    """Seconds since 1970."""

    machine: str = ""
    """Boot and process namespace, in which process ids are unique; empty in records of earlier versions."""

    job: str = ""
    """Ray cluster and job of a driver; empty outside Ray and in records of earlier versions."""

    @classmethod
    def this(cls) -> Process:
        return cls.of(os.getpid())

    @classmethod
    def of(cls, pid: int) -> Process:
        return cls(socket.gethostname(), pid, psutil.Process(pid).create_time(), this_machine(), _job())

    @classmethod
    def from_json(cls, content: StoredProcess) -> Process:
        """A stored process; it counts as dead if its start is text."""
        started = content["started"]
        moment = 0.0 if isinstance(started, str) else started
        return cls(content["host"], content["pid"], moment, content.get("machine", ""), content.get("job", ""))

    @property
    def is_here(self) -> bool:
        return self.machine == this_machine() if self.machine else self.host == socket.gethostname()

    @property
    def is_known_dead(self) -> bool:
        """Whether the Ray cluster of both this process and that one, on any host, has seen its end."""
        cluster, _, job = self.job.partition("/")
        return bool(job and _cluster) and _cluster[0].name == cluster and _cluster[0].is_over(job)

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


@dataclass(frozen=True)
class RayCluster:
    """The Ray cluster that this process has joined."""

    name: str
    job: str
    is_over: Callable[[str], bool]
    """Whether a job of the cluster has ended, so that its driver is dead or gone."""


_cluster: list[RayCluster] = []


def join(cluster: RayCluster | None) -> None:
    """Set the cluster that this process is in."""
    _cluster[:] = [cluster] if cluster else []


def _job() -> str:
    return f"{_cluster[0].name}/{_cluster[0].job}" if _cluster else ""


@cache
def this_machine() -> str:
    """Boot and process namespace on Linux; elsewhere the address of a network card."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return f"{uuid.getnode():012x}"
