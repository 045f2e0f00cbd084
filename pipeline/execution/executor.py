"""Where jobs run: the protocol that the scheduler knows, and its in-process executor. Ray has another.

Tested in tests/pipeline/execution/test_scheduler.py.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Hashable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Protocol

from pipeline.execution.job import Job
from pipeline.execution.run_stage import run_stage
from pipeline.folder import Folder
from pipeline.stage import Resources
from pipeline.store.store import Manifest, log_name
from pipeline.terminal import LogFormatter

Handle = Hashable


class WorkerLost(Exception):
    """The process or node that ran a job is gone, through no fault of the job; a retry is worthwhile."""


class Cancelled(Exception):
    """The job was cancelled."""


class Executor(Protocol):
    def capacity(self) -> Resources:
        """Total resources."""

    def submit(self, job: Job) -> Handle:
        """Start a job and return at once."""

    def wait(self, handles: Collection[Handle], timeout: float) -> list[Handle]:
        """Handles of jobs that have ended: as soon as there is one, or none after `timeout` seconds."""

    def result(self, handle: Handle) -> Manifest:
        """Manifest of an ended job. Raises what the job raised, WorkerLost or Cancelled."""

    def cancel(self, handle: Handle, *, force: bool = False) -> None:
        """Ask a job to end, or kill its process; `wait` returns its handle once it has ended."""


class InlineExecutor:
    """Runs jobs in this process, one at a time, inside `wait`."""

    def __init__(self, capacity: Resources | None = None) -> None:
        self._capacity = capacity or Resources(cpus=os.cpu_count() or 1)
        self._waiting: dict[int, Job] = {}
        self._results: dict[int, Manifest | Exception] = {}
        self._count = 0

    def capacity(self) -> Resources:
        return self._capacity

    def submit(self, job: Job) -> Handle:
        self._count += 1
        self._waiting[self._count] = job
        return self._count

    def wait(self, handles: Collection[Handle], timeout: float) -> list[Handle]:  # noqa: ARG002 - never idle
        if not any(handle in self._results for handle in handles):
            first = next(handle for handle in self._waiting if handle in handles)
            self._results[first] = Cancelled()  # remains when Ctrl-C interrupts the next line
            self._results[first] = _outcome(self._waiting.pop(first))
        return [handle for handle in handles if handle in self._results]

    def result(self, handle: Handle) -> Manifest:
        assert isinstance(handle, int)
        result = self._results.pop(handle)
        if isinstance(result, Exception):
            raise result
        return result

    def cancel(self, handle: Handle, *, force: bool = False) -> None:  # noqa: ARG002 - nothing runs outside `wait`
        assert isinstance(handle, int)
        if self._waiting.pop(handle, None):
            self._results[handle] = Cancelled()


def _outcome(job: Job) -> Manifest | Exception:
    with _logging_to(job.logs, log_name(job.address)) if job.logs.is_local else nullcontext():
        try:
            return run_stage(job)
        except Exception as error:
            return error


class _LogFile(logging.FileHandler):
    """A log on a disk that may be full: the stage's own writes report that."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - of the standard library
        del record

    def close(self) -> None:
        with suppress(OSError):
            super().close()


@contextmanager
def _logging_to(folder: Folder, name: str) -> Iterator[None]:
    """Append log records of level INFO to a local file while the block runs."""
    path = Path(folder.path) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = _LogFile(path, delay=True)
    handler.setFormatter(LogFormatter())
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(min(level, logging.INFO))
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        handler.close()
