"""Leaves Ray within a limit, also when its head is dead: then nothing that would ask the head is waited for.

`ray.shutdown` alone takes 7 s with the dead head of a session of its own; in a cluster it may wait until Ray aborts
this process after a minute, without a word to the user.

Tested in tests/pipeline/ray_backend/test_leaving.py and tests/pipeline/ray_backend/test_head_watch.py.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psutil

from pipeline.errors import ClusterLost
from pipeline.ray_backend.head_watch import HeadWatch
from pipeline.store.process import join

SHUTDOWN_SECONDS = 20.0
"""How long Ray may take to shut down if its head has answered until then."""

LEAVE_SECONDS = 8.0
"""How long a run may take from the loss of its cluster to its end, before it is ended where it stands."""

LOOK_SECONDS = 1.0


@contextmanager
def ended_when_lost(
    watch: HeadWatch, end: Callable[[ClusterLost], None], *, seconds: float = LEAVE_SECONDS
) -> Iterator[None]:
    """Call `end` in a thread when the block has not ended `seconds` after the loss: a call to Ray does not return."""
    left = threading.Event()

    def look() -> None:
        while not left.wait(LOOK_SECONDS):
            try:
                watch.check()
            except ClusterLost as lost:
                if not left.wait(seconds):
                    end(lost)
                return

    threading.Thread(target=look, daemon=True).start()
    try:
        yield
    finally:
        left.set()


def disconnect(*, lost: bool = False) -> None:
    """Disconnect from the cluster, or end the session that `connect` started.

    Where it is `lost`, own processes are killed, and Ray's shutdown is left to the end of the interpreter: it may hold
    the interpreter's lock while it waits for the head. A command ends by `os._exit` before.
    """
    import ray

    join(None)
    if lost:
        end_own_processes()
        return
    shutdown = threading.Thread(target=ray.shutdown, daemon=True)
    shutdown.start()
    shutdown.join(SHUTDOWN_SECONDS)
    if shutdown.is_alive():
        end_own_processes()


def end_own_processes() -> None:
    """Kill all processes of a session that this process started; none of a cluster that it joined."""
    import ray

    if (node := ray._private.worker._global_node) is None:
        return
    own = [each for _, process in node.live_processes() for each in _with_children(process.pid)]
    for process in own:
        with suppress(psutil.Error):
            process.kill()


def _with_children(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.Error:
        return []
