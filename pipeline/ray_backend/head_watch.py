"""Notices that Ray's head is gone before Ray does: it waits for 60 s and then aborts the driver's process.

Two processes must live for a driver: the global control store on the head, and the raylet that the driver is connected
to. Only their ports are tried, since a call to a dead one blocks for that minute.

Tested in tests/pipeline/ray_backend/test_head_watch.py.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from pipeline.errors import ClusterLost

EVERY = 2.0
"""Seconds between two trials."""

REFUSED_SECONDS = 4.0
"""A port that refuses has no process any more; a few trials tell a restart from an end."""

SILENT_SECONDS = 50.0
"""A link that is cut may come back, and Ray itself waits for 60 s."""

ANSWER_SECONDS = 1.0


@dataclass
class _Watched:
    what: str
    host: str
    port: int
    answered: float


@dataclass
class HeadWatch:
    """`check` raises ClusterLost when a process that answered at the start is gone."""

    clock: Callable[[], float] = time.monotonic
    _watched: list[_Watched] = field(default_factory=list)
    _next: float = 0.0
    _lost: ClusterLost | None = None

    def watch(self, what: str, address: str) -> None:
        """Watch `host:port`, unless it does not answer now: behind a proxy it never will."""
        host, _, port = address.rpartition(":")
        if host and port.isdecimal() and _silence(host.strip("[]"), int(port)) is None:
            self._watched.append(_Watched(what, host.strip("[]"), int(port), self.clock()))

    def answers(self) -> bool:
        """Whether all answer at this moment."""
        return all(_silence(watched.host, watched.port) is None for watched in self._watched)

    def check(self) -> None:
        """Try the ports if their turn has come. Raises ClusterLost, and from then on always. Threads may share it."""
        if not self._lost and self.clock() >= self._next:
            self._next = self.clock() + EVERY
            self._try()
        if self._lost:
            raise self._lost

    def _try(self) -> None:
        for watched in self._watched:
            silence = _silence(watched.host, watched.port)
            if silence is None:
                watched.answered = self.clock()
                continue
            seconds = self.clock() - watched.answered
            if seconds >= (REFUSED_SECONDS if isinstance(silence, ConnectionRefusedError) else SILENT_SECONDS):
                self._lost = ClusterLost(
                    f"{watched.what} at {watched.host}:{watched.port} has not answered for {seconds:.0f} s "
                    f"({silence.strerror or silence}). Committed results and checkpoints are kept"
                )
                return


def watch_session() -> HeadWatch:
    """Watch the session that this process is connected to."""
    import ray

    context, watch = ray.get_runtime_context(), HeadWatch()
    watch.watch("Ray's head", context.gcs_address)
    own = next(node for node in ray.nodes() if node["NodeID"] == context.get_node_id())
    watch.watch("Ray on this host", f"{own['NodeManagerAddress']}:{own['NodeManagerPort']}")
    return watch


def _silence(host: str, port: int) -> OSError | None:
    """Why nothing answers; None if a process does."""
    try:
        socket.create_connection((host, port), ANSWER_SECONDS).close()
    except OSError as error:
        return error
    return None
