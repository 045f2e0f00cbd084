"""MLflow as an observer of runs: one writer, in a thread of the driver; MLflow is never waited for, nor needed.

The events of a run say how things should stand; the thread brings MLflow there again and again, so what a dead tracker
missed is caught up with later, in this run or in the next of the same experiment. There are two kinds of runs:

    of an invocation       that computed something: status, tables and files of stages that nothing tracks
    of a tracked stage     found again by its key: parameters, curves, numbers, files, data sets, weights

These runs stand side by side, since MLflow hides what is nested.

MLflow is imported when the first stage starts, or when an earlier run left it behind; not for a run that is all cached.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from pipeline.mlflow_tracking.tracker import Tracker

if TYPE_CHECKING:
    from pipeline.mlflow_tracking.client import About
    from pipeline.planning.graph import Graph
    from pipeline.store.events import Event
    from pipeline.store.store import Store

INTERVAL_SECONDS = 5.0
PATIENCE_SECONDS = 60.0
"""Between attempts when the tracker does not answer, and at the end for the last one."""

logger = logging.getLogger(__name__)


class MlflowObserver:
    """Give it to the scheduler; `run_finished` returns when MLflow is up to date or known to be out of reach."""

    def __init__(self, graph: Graph, store: Store, about: About, *, run_id: str) -> None:
        self._tracker = Tracker(graph, store, about, run_id=run_id)
        self._thread: threading.Thread | None = None
        self._finished = threading.Event()
        self._warned = False

    def on_event(self, event: Event) -> None:
        self._tracker.tell(event)
        if event.kind == "started" or (event.kind == "run_finished" and self._tracker.is_behind()):
            self._start()
        if event.kind == "run_finished" and self._thread:
            self._finished.set()
            self._thread.join(PATIENCE_SECONDS)

    def tick(self) -> None:
        """The thread has its own clock."""

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._write, name="mlflow", daemon=True)
            self._thread.start()

    def _write(self) -> None:
        pause = 0.0
        while not self._finished.wait(pause):
            pause = INTERVAL_SECONDS if self._try() else PATIENCE_SECONDS
        self._try()

    def _try(self) -> bool:
        try:
            self._tracker.bring_up_to_date()
        except Exception as error:  # whatever the tracker does, results are in the store
            if not self._warned:
                reason = str(error).strip().splitlines()[0] if str(error) else type(error).__name__
                logger.warning("MLflow does not take the record (%s); results are safe, it is tried again", reason)
                self._warned = True
            return False
        return True


def catch_up(graph: Graph, store: Store, about: About) -> None:
    """Record what an earlier run could not, if there is any; MLflow is not imported otherwise, nor needed."""
    if not Tracker(graph, store, about, run_id="").is_behind():
        return
    try:
        sync(graph, store, about)
    except Exception as error:  # whatever the tracker does, results are in the store
        logger.warning("%s; results are safe", error or type(error).__name__)


def sync(graph: Graph, store: Store, about: About) -> int:
    """Bring MLflow up to date with all committed results of a graph that can be resolved; how many there are.

    PipelineError when the tracker does not answer.
    """
    from pipeline.errors import PipelineError
    from pipeline.mlflow_tracking.client import tracking_uri
    from pipeline.planning.plan import plan
    from pipeline.planning.resolver import Resolver

    tracker = Tracker(graph, store, about, run_id="")
    cached = [row for row in plan(graph, store, Resolver(graph)) if row.manifest]
    for row in cached:
        tracker.found(row.address, row.key)
    from mlflow.exceptions import MlflowException

    try:
        tracker.bring_up_to_date()
    except MlflowException as error:
        reason = str(error).strip().partition("\n")[0]
        raise PipelineError(f"MLflow at {tracking_uri(store.folder)} does not take the record ({reason})") from error
    return len(cached)
