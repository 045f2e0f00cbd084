"""Runs a stage in its context and commits its result. Every executor ends up here."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatch
from typing import Any, Protocol, TypeVar

from pipeline.errors import PipelineError
from pipeline.execution.job import Job
from pipeline.execution.machine_load import MachineLoad
from pipeline.folder import Folder
from pipeline.keys.fingerprint import describe
from pipeline.stage import Resources, Stage
from pipeline.store.faults import as_store_fault, refuse_if_gone
from pipeline.store.integrity import StoredFile, refuse_damaged
from pipeline.store.provenance import machine
from pipeline.store.record import CURVE, CurveLog, is_stop_requested, read_curve, write_progress
from pipeline.store.store import Manifest

Item = TypeVar("Item")
Value = TypeVar("Value")

PROGRESS_SECONDS = 0.5
REMOTE_PROGRESS_SECONDS = 2.0
"""Shortest time between two writes of progress, to a disk and to an object store."""

STOP_POLL_SECONDS = 1.0
REMOTE_STOP_POLL_SECONDS = 5.0
"""Shortest time between two checks whether the stage is to stop, on a disk and on an object store."""


class Mapper(Protocol):
    """How `Context.map` processes its items."""

    def __call__(
        self,
        function: Callable[[Any], Any],
        items: Iterable[Any],
        *,
        resources: Resources,
        progress: Callable[[int, int], None],
    ) -> list[Any]: ...


def map_inline(
    function: Callable[[Any], Any], items: Iterable[Any], *, resources: Resources, progress: Callable[[int, int], None]
) -> list[Any]:
    """Process items one after another in this process; `resources` are ignored."""
    del resources
    listed = list(items)
    values = []
    for item in listed:
        values.append(function(item))
        progress(len(values), len(listed))
    return values


@dataclass(frozen=True)
class Input:
    """A committed result that a running stage reads."""

    stage: Stage
    folder: Folder
    files: tuple[StoredFile, ...]

    def whole(self) -> Folder:
        """The folder, once its files have been compared with the manifest, except those that their reader compares."""
        checked_later = type(self.stage).checked_by_reader
        files = [file for file in self.files if not any(fnmatch(file.path, pattern) for pattern in checked_later)]
        refuse_damaged(self.stage.address, self.folder, files)
        return self.folder


class StageContext:
    """The `Context` of every executor. Picklable if its mapper is, so that workers can record and report progress."""

    def __init__(
        self,
        *,
        key: str,
        stage: Stage,
        inputs: Mapping[str, Folder],
        out: Folder,
        work: Folder,
        mapper: Mapper = map_inline,
        files: Mapping[str, Sequence[StoredFile]] | None = None,
    ) -> None:
        """`inputs` are committed results by field path of `stage`; `files` are those of their manifests, if known."""
        self.key = key
        self.out = out
        self.work = work
        self._address = stage.address
        given = files or {}
        self._inputs = [
            Input(held, inputs[path], tuple(given.get(path, ()))) for path, held in describe(stage).inputs.items()
        ]
        self.notes: dict[str, Any] = {}
        self._mapper = mapper
        self._last_write = self._last_poll = float("-inf")
        self._is_stopping = False
        self._curve, self._load = CurveLog(work), MachineLoad()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("_curve", "_load")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._curve, self._load = CurveLog(self.work), MachineLoad()  # another process writes a part of its own

    def input(self, stage: Stage) -> Folder:
        found = next((item for item in self._inputs if item.stage is stage), None)
        found = found or next((item for item in self._inputs if item.stage == stage), None)
        if found is None:
            names = ", ".join(item.stage.address for item in self._inputs) or "none"
            raise PipelineError(
                f"{self._address} requests the result of {stage.address}, which is not among its inputs ({names}): "
                "hold that stage in a field"
            )
        return found.whole()

    def map(
        self, function: Callable[[Item], Value], items: Iterable[Item], *, resources: Resources | None = None
    ) -> list[Value]:
        return self._mapper(function, items, resources=resources or Resources(), progress=self.progress)

    def progress(self, done: float, total: float, note: str = "") -> None:
        now = time.monotonic()
        pause = PROGRESS_SECONDS if self.work.is_local else REMOTE_PROGRESS_SECONDS
        if now - self._last_write >= pause or done >= total or self._is_stopping:
            self._last_write = now
            write_progress(self.work, done, total, note)
        if done >= total or self._is_stopping:
            self.flush()  # the process of a worker may end without another word

    def stop_requested(self) -> bool:
        now = time.monotonic()
        pause = STOP_POLL_SECONDS if self.work.is_local else REMOTE_STOP_POLL_SECONDS
        if not self._is_stopping and now - self._last_poll >= pause:
            self._last_poll = now
            self._is_stopping = is_stop_requested(self.work)
        return self._is_stopping

    def note(self, name: str, value: Any) -> None:
        self.notes[name] = value

    def record(self, step: int, values: Mapping[str, float]) -> None:
        self._curve.append(step, {**values, **self._load.due()})

    def flush(self) -> None:
        """Write the points that wait in memory."""
        self._curve.flush()


def run_stage(job: Job, mapper: Mapper = map_inline) -> Manifest:
    """Run a job's stage in a private folder and commit the result; a failure leaves no attempt behind."""
    attempt = f"{job.attempt}-{uuid.uuid4().hex[:8]}"
    out, work = job.store.attempt(job.key, attempt), job.store.work(job.key)
    context = StageContext(
        key=job.key, stage=job.stage, inputs=job.inputs, out=out, work=work, mapper=mapper, files=job.files
    )
    began, prepared = time.monotonic(), job.store.is_prepared()
    try:
        for folder in (out, work):
            folder.create()
        job.stage.run(context)
        context.flush()
        _keep_curve(work, out)
        seconds = time.monotonic() - began
        occupied = asdict(job.stage.resources)
        made = {"machine": machine(), "resources": occupied, "run": job.run_id}
        provenance = {**job.draft.provenance, **context.notes, **made}
        if prepared:
            refuse_if_gone(job.store.folder)
        return job.store.commit(replace(job.draft, attempt=attempt, seconds=seconds, provenance=provenance))
    except BaseException as error:
        if fault := as_store_fault(error, job.store.folder):
            with suppress(OSError):
                _leave_no_attempt(job, attempt, out)
            raise fault from error
        _leave_no_attempt(job, attempt, out)
        raise


def _leave_no_attempt(job: Job, attempt: str, out: Folder) -> None:
    if not _is_committed(job, attempt):
        out.delete()


def _keep_curve(work: Folder, out: Folder) -> None:
    """Copy the recorded curve into the result, each step once and in order."""
    points = read_curve(work)
    if points and not out.exists(CURVE):
        out.write_bytes(CURVE, b"".join(point.line() for point in points))


def _is_committed(job: Job, attempt: str) -> bool:
    manifest = job.store.find(job.key)
    return manifest is not None and manifest.attempt == attempt
