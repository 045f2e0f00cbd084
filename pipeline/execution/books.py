"""What a run records: the outcome of each node, the events for its observers, and the fault that ends it.

Tested in tests/pipeline/execution/test_scheduler.py.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from pipeline.errors import ClusterLost, StoreFault
from pipeline.execution.outcome import Outcome, State
from pipeline.planning.graph import Graph, Node
from pipeline.redaction import redacted_json
from pipeline.store.events import Event, Observer
from pipeline.store.faults import as_store_fault, refuse_if_gone, unwritable
from pipeline.store.store import Store


class Books:
    """The books of one run."""

    def __init__(self, graph: Graph, store: Store, observers: Iterable[Observer]) -> None:
        self._folder = store.folder
        self._observers = list(observers)
        self.outcomes = {node.id: Outcome(address=node.address) for node in graph.nodes.values()}
        self.fault: StoreFault | ClusterLost | None = None
        """Why the run cannot go on: the store or Ray is gone."""

        self.prepared = False
        """Whether the store has been opened for writing."""

    def end(self, node: Node, state: State, **facts: Any) -> None:
        """Record how a node ended."""
        self.outcomes[node.id] = replace(self.outcomes[node.id], state=state, **facts)

    def emit(self, kind: str, node: Node | None = None, key: str = "", data: Mapping[str, Any] | None = None) -> None:
        """Tell every observer; a store that cannot be written is the run's fault."""
        address = node.address if node else ""
        event = Event(time=time.time(), kind=kind, address=address, key=key, data=redacted_json(data or {}))
        for observer in self._observers:
            try:
                observer.on_event(event)
            except OSError as error:
                self.take_as_fault(error)

    def tick(self) -> None:
        """Let every observer do what it does from time to time."""
        for observer in self._observers:
            observer.tick()

    def watch_store(self) -> None:
        """Notice that the store is gone before anything is written in its place."""
        try:
            if self.prepared:
                refuse_if_gone(self._folder)
        except StoreFault as fault:
            self.fault = self.fault or fault

    def take_as_fault(self, error: OSError) -> None:
        """End the run if the store is the cause of an error; else raise the error."""
        self.watch_store()
        if not self.prepared or error.errno == errno.EIO:  # EIO may not recur, but here only the store is used
            self.fault = self.fault or unwritable(error, self._folder)
        self.fault = self.fault or as_store_fault(error, self._folder)
        if not self.fault:
            raise error
