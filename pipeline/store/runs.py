"""Recorded runs, as seen from any host that reaches the store: which still run, and how they are asked to stop.

    runs/<run>/stop     exists once a user has asked the run to stop: `save`, or `kill` to end everything at once

Tested in tests/pipeline/store/test_runs.py.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

from pyarrow import fs

from pipeline.errors import PipelineError
from pipeline.folder import Folder
from pipeline.store.events import Event, RunState, fold, read_events
from pipeline.store.lease import STALE_SECONDS, Leases
from pipeline.store.reading import Unreadable, read_limited
from pipeline.store.store import Store
from pipeline.suggestion import suggestion

STOP = "stop"
SAVE, KILL = b"save", b"kill"
LIVELY = ("running", "stopping")
RUNS_READ = 100
"""How many of the newest runs are searched for those that still run."""


@dataclass(frozen=True)
class StoredRun:
    """The record of one run."""

    store: Store
    id: str

    @property
    def folder(self) -> Folder:
        return self.store.run(self.id)

    @cached_property
    def events(self) -> list[Event]:
        return read_events(self.folder)

    @cached_property
    def state(self) -> RunState:
        return fold(self.events)

    @cached_property
    def status(self) -> str:
        """finished, failed or interrupted; running or stopping; killed, or lost: no sign of life from another host."""
        if self.state.status != "running":
            return self.state.status
        if self.state.is_dead:
            return "killed"
        if not self._shows_life():
            return "lost"
        return "stopping" if requested_stops(self.folder) else "running"

    @property
    def is_lively(self) -> bool:
        return self.status in LIVELY

    def _shows_life(self) -> bool:
        process = self.state.process
        if process is None or process.is_here or time.time() - self.state.last < STALE_SECONDS:
            return True
        leases = Leases(self.store.folder / "leases")
        running = (node.key for node in self.state.nodes.values() if node.state in ("running", "retrying"))
        return any(leases.holder(key) == process for key in running)


def stored_runs(store: Store) -> Iterator[StoredRun]:
    """All runs with events, newest first."""
    for name in run_ids(store):
        run = StoredRun(store, name)
        if run.events:
            yield run


def run_ids(store: Store) -> list[str]:
    """Names of all runs, newest first."""
    runs = store.folder / "runs"
    selector = fs.FileSelector(runs.path, allow_not_found=True)
    return sorted((str(entry.base_name) for entry in runs.filesystem.get_file_info(selector)), reverse=True)


def lively_runs(store: Store) -> list[StoredRun]:
    """Runs that have not ended, newest first, among the newest runs of the store."""
    return [run for run in _newest(store) if run.is_lively]


def find_run(store: Store, text: str) -> StoredRun:
    """The run whose id is `text` or the only one whose id starts with it. Raises PipelineError otherwise."""
    names = run_ids(store)
    matching = [name for name in names if name == text] or [name for name in names if text and name.startswith(text)]
    if len(matching) == 1:
        return StoredRun(store, matching[0])
    if matching:
        raise PipelineError(f"{text!r} is the start of {len(matching)} runs: {', '.join(matching[:8])}")
    raise PipelineError(f"no run {text!r} in the store {store.folder.shown}; {suggestion(text, names)}")


def request_stop(run: Folder, *, kill: bool = False) -> None:
    """Ask the driver of a run to stop, as Ctrl-C does; with `kill`, as the second Ctrl-C does."""
    run.replace(STOP, KILL if kill else SAVE)


def requested_stops(run: Folder) -> int:
    """0, or 1 after a request to stop, or 2 after one to kill; 0 also when the store does not answer."""
    with suppress(OSError, Unreadable):
        return 2 if read_limited(run, STOP, 100).strip() == KILL else 1
    return 0


def _newest(store: Store) -> Iterator[StoredRun]:
    return (run for _, run in zip(range(RUNS_READ), stored_runs(store), strict=False))
