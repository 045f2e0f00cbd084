"""MLflow as an observer of runs, written by one thread of the driver; no run waits for MLflow or depends on it.

Events define what MLflow should show, and the thread repeatedly brings it up to date, so whatever an unreachable
tracker missed is recorded later, in this run or in the next one of the same experiment. There are two kinds of runs:

    invocations       that computed something: status, tables and files of stages that belong to no tracked stage
    tracked stages    identified by key: parameters, curves, numbers, files, data sets, weights

They are not nested, because MLflow hides nested runs.

MLflow is imported when the first stage starts or when an earlier run left it behind, not when everything is cached.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from pipeline.mlflow_tracking.remedies import cause, remedy
from pipeline.mlflow_tracking.tracker import Tracker
from pipeline.redaction import redacted

if TYPE_CHECKING:
    from pipeline.mlflow_tracking.client import About
    from pipeline.planning.graph import Graph
    from pipeline.store.events import Event
    from pipeline.store.store import Store

INTERVAL_SECONDS = 5.0
PATIENCE_SECONDS = 60.0
"""Pause after a failed attempt to reach the tracker, and longest wait for the last attempt at the end."""

logger = logging.getLogger(__name__)


class MlflowObserver:
    """An observer for the scheduler; on `run_finished` it waits until MLflow is up to date or found unreachable."""

    def __init__(self, graph: Graph, store: Store, about: About, *, run_id: str) -> None:
        self._tracker = Tracker(graph, store, about, run_id=run_id)
        self._store = store.folder
        self._thread: threading.Thread | None = None
        self._finished = threading.Event()
        self._warned = False

    def on_event(self, event: Event) -> None:
        self._tracker.note(event)
        if event.kind == "started" or (event.kind == "run_finished" and self._tracker.is_behind()):
            self._start()
        if event.kind == "run_finished" and self._thread:
            self._finished.set()
            self._thread.join(PATIENCE_SECONDS)

    def tick(self) -> None:
        """Do nothing: the thread has its own clock."""

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
                advice = remedy(error, self._store)
                logger.warning(
                    "MLflow cannot be updated (%s); results are safe, and the update is retried%s",
                    cause(error),
                    f". {advice}" if advice else "",
                )
                self._warned = True
            return False
        return True


def catch_up(graph: Graph, store: Store, about: About) -> None:
    """Record what an earlier run could not record, if anything; otherwise MLflow is not even imported."""
    if not Tracker(graph, store, about, run_id="").is_behind():
        return
    try:
        sync(graph, store, about)
    except Exception as error:  # whatever the tracker does, results are in the store
        logger.warning("%s; results are safe", redacted(str(error)) or type(error).__name__)


def sync(graph: Graph, store: Store, about: About) -> int:
    """Bring MLflow up to date with all committed results of a graph whose keys are known; return how many there are.

    Raises PipelineError when the tracker cannot be updated.
    """
    from pipeline.errors import PipelineError
    from pipeline.mlflow_tracking.client import shown_uri
    from pipeline.planning.plan import plan
    from pipeline.planning.resolver import Resolver

    tracker = Tracker(graph, store, about, run_id="")
    cached = [row for row in plan(graph, store, Resolver(graph)) if row.manifest]
    for row in cached:
        tracker.add_committed(row.address, row.key)
    try:
        tracker.bring_up_to_date()
    except Exception as error:  # MLflow, SQLAlchemy and SQLite have their own
        advice = remedy(error, store.folder)
        raise PipelineError(
            f"MLflow at {shown_uri(store.folder)} cannot be updated ({cause(error)})"
            + (f"\n{advice}" if advice else "")
        ) from error
    return len(cached)
