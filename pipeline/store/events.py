"""Append-only events of a run in the log `runs/<run>/events.jsonl`; the state of the run is a fold over them.

run_started(argv, git, process)   planned(node)   cached   waiting(holder)   started(attempt, cpus, gpus)
progress(done, total, note, host)   retried(reason, delay)   committed(seconds)   failed(class, message, traceback)
skipped(because)   cancelled   run_finished(status)
"""

from __future__ import annotations

import errno
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol, TypedDict

import msgspec

from pipeline.folder import Folder
from pipeline.store.line_log import LineLog, read_lines
from pipeline.store.process import Process, StoredProcess
from pipeline.store.reading import Moment, Unreadable, decoded, refuse_deep

EVENTS = "events.jsonl"
PROGRESS_SECONDS = 10.0
"""Shortest time between two logged progress events of a stage; other observers see all of them."""

AT_ONCE = ("run_started", "failed", "run_finished")
"""Events that do not wait in memory where the log is on an object store."""


@dataclass(frozen=True, kw_only=True)
class Event:
    time: float
    """Seconds since 1970."""

    kind: str
    address: str = ""
    """Address of the stage; empty for events of the whole run."""

    key: str = ""
    data: dict[str, Any] = field(default_factory=dict)


class Observer(Protocol):
    """Receives the events of a run as they happen, in the scheduler's thread."""

    def on_event(self, event: Event) -> None: ...

    def tick(self) -> None:
        """Called about twice a second, even when nothing happens."""


class EventLog:
    """The observer that writes the events of a run to its event log."""

    def __init__(self, run: Folder) -> None:
        self._run, self._log = run, LineLog(run, EVENTS)
        self._progress: dict[str, float] = {}

    def on_event(self, event: Event) -> None:
        if event.kind == "progress":
            if event.time - self._progress.get(event.address, float("-inf")) < PROGRESS_SECONDS:
                return
            self._progress[event.address] = event.time
        if event.kind != "run_started" and self._run.is_local and not self._run.exists():
            raise FileNotFoundError(errno.ENOENT, "the record of the run is gone", self._run.shown)
        self._log.append(json.dumps(asdict(event)).encode() + b"\n")
        if event.kind in AT_ONCE:
            self._log.flush()

    def tick(self) -> None:
        self._log.flush_if_due()


def new_run_id(now: datetime | None = None) -> str:
    """A run id that sorts by time: `20261122-153012-123`."""
    moment = now or datetime.now(UTC)
    return f"{moment:%Y%m%d-%H%M%S}-{moment.microsecond // 1000:03d}"


def read_events(run: Folder) -> list[Event]:
    """Events of a run, also while it runs and after a crash: an incomplete line is skipped."""
    return [event for line in read_lines(run, EVENTS) if (event := _parse(line))]


def _parse(line: bytes) -> Event | None:
    """The event of a line; None for what no version has written."""
    try:
        stored = decoded(line, _LINE)
        refuse_deep(stored.data)
    except Unreadable:
        return None
    return Event(**msgspec.structs.asdict(stored))


_Data = TypedDict(
    "_Data",
    {
        "argv": list[str],
        "attempt": int,
        "because": str,
        "class": str,
        "cpus": float,
        "delay": float,
        "done": float,
        "git": dict[str, Any],
        "gpus": float,
        "holder": str,
        "host": str,
        "libraries": dict[str, str],
        "message": str,
        "note": str,
        "process": StoredProcess,
        "reason": str,
        "request": dict[str, Any],
        "seconds": float,
        "status": str,
        "total": float,
        "traceback": str,
    },
    total=False,
)
"""What events hold, all kinds together; anything else is skipped."""


class _Line(msgspec.Struct):
    """A line of an event log."""

    time: Moment
    kind: str
    address: str = ""
    key: str = ""
    data: _Data = msgspec.field(default_factory=lambda: _Data())


_LINE = msgspec.json.Decoder(_Line)


@dataclass
class NodeState:
    state: str = "planned"
    key: str = ""
    attempt: int = 0
    done: float = 0.0
    total: float = 0.0
    note: str = ""
    """Why it waits, was retried, failed or was skipped; the stage's own progress note while it runs."""

    seconds: float = 0.0


@dataclass
class RunState:
    nodes: dict[str, NodeState] = field(default_factory=dict)
    """States of the stages, by address."""

    argv: list[str] = field(default_factory=list)
    process: Process | None = None
    started: float = 0.0
    last: float = 0.0
    """Time of the newest event."""

    status: str = "unknown"
    """running, finished, failed or interrupted, according to the events; a killed run is found by `is_dead`."""

    @property
    def is_dead(self) -> bool:
        """Whether the run never ended although its process, on this host, is gone."""
        process = self.process
        return self.status == "running" and process is not None and process.is_here and not process.is_alive


_STATE_AFTER = {"planned": "planned", "started": "running", "progress": "running", "retried": "retrying"}


def fold(events: Iterable[Event]) -> RunState:
    """The state of a run after these events."""
    run = RunState()
    for event in events:
        run.last = event.time
        if event.kind == "run_started":
            run.argv, run.started, run.status = event.data.get("argv", []), event.time, "running"
            run.process = Process.from_json(event.data["process"]) if "process" in event.data else None
        elif event.kind == "run_finished":
            run.status = event.data.get("status", "unknown")
        else:
            _apply(run.nodes.setdefault(event.address, NodeState()), event)
    return run


def _apply(node: NodeState, event: Event) -> None:
    data = event.data
    node.state = _STATE_AFTER.get(event.kind, event.kind)
    node.key = event.key or node.key
    node.attempt = data.get("attempt", node.attempt)
    node.seconds = data.get("seconds", node.seconds)
    node.done, node.total = data.get("done", node.done), data.get("total", node.total)
    notes = (data[name] for name in ("note", "message", "because", "reason", "holder") if name in data)
    node.note = next(notes, "")
