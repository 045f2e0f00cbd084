"""Watches the nodes while a group trains, and pauses it when another group should take over.

That is when more workers fit than it has, for some time so that no short gap between two tasks counts, and when a node
is drained: a notice of preemption.

Tested in tests/stages/training/elastic/test_resizing.py.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pipeline.folder import Folder
from pipeline.planning.admission import workers_on
from pipeline.ray_backend.nodes import Node, busy_leaving, nodes
from pipeline.stage import Resources
from stages.training.elastic.pause import request_pause

WATCH_SECONDS = 2.0
_log = logging.getLogger(__name__)


@dataclass
class Watch:
    """What is known about the nodes since a group of `workers` started."""

    wanted: Resources
    workers: int
    settle_seconds: float
    """How long room for more workers must last."""

    find: Callable[[], list[Node]] = nodes
    leaving: Callable[[], set[str]] = busy_leaving
    clock: Callable[[], float] = time.monotonic
    _room_since: float | None = None
    _known: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._known = self.leaving()

    def reason(self) -> str:
        """Why the group should pause now; empty while it should not."""
        if new := self.leaving() - self._known:
            return f"{len(new)} nodes are about to leave the cluster"
        more = workers_on(self.wanted.worker, [node.free for node in self.find()])
        if self.workers >= self.wanted.workers or not more:
            self._room_since = None
            return ""
        if self._room_since is None:
            self._room_since = self.clock()
        lasted = self.clock() - self._room_since >= self.settle_seconds
        return f"there is room for {more} more workers" if lasted else ""


@contextmanager
def watched(watch: Watch, work: Folder) -> Iterator[None]:
    """Within the block, a thread requests a pause of the group once there is a reason."""
    ended = threading.Event()

    def run() -> None:
        while not ended.wait(WATCH_SECONDS):
            try:
                reason = watch.reason()
            except Exception as error:  # the head node is gone, say: the training itself will report it
                _log.warning("the nodes cannot be watched: %s", error)
                continue
            if reason:
                _log.warning("%s: the training saves a checkpoint and continues with another group", reason)
                request_pause(work)
                return

    thread = threading.Thread(target=run, name="nodes", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
