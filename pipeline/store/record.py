"""Curves and progress that a running stage records in its work folder, from any of its processes.

metrics.jsonl    one line {"step", "time", "values"} for each recorded point; the last line of a step is valid
progress.json    {"done", "total", "note", "time", "host"}, replaced as a whole
stop             exists once the run has asked the stage to save its state and end

A finished stage may write `summary.json` into its result: {name: number}.

Tested in tests/pipeline/execution/test_run_stage.py.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any, TypeVar

import msgspec

from pipeline.errors import PipelineError
from pipeline.folder import Folder
from pipeline.redaction import redacted
from pipeline.store.line_log import LineLog, is_part, read_lines
from pipeline.store.reading import Moment, Unreadable, decoded, read_typed

CURVE = "metrics.jsonl"
PROGRESS = "progress.json"
SUMMARY = "summary.json"
STOP = "stop"
T = TypeVar("T")
Step = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


@dataclass(frozen=True)
class Point:
    step: Step
    time: Moment
    """Seconds since 1970."""

    values: dict[str, float]

    @classmethod
    def parse(cls, line: bytes) -> Point | None:
        """Parse a line; None for an incomplete line of a killed process."""
        try:
            return decoded(line, _POINT)
        except Unreadable:
            return None

    def line(self) -> bytes:
        return json.dumps(asdict(self)).encode() + b"\n"


@dataclass(frozen=True)
class Progress:
    done: float
    total: float
    note: str
    time: Moment
    host: str = ""
    """Name of the host that computes; empty in records of earlier versions."""


_POINT = msgspec.json.Decoder(Point)
_PROGRESS = msgspec.json.Decoder(Progress)
_SUMMARY = msgspec.json.Decoder(dict[str, Any])


class CurveLog:
    """The writer of a curve in a process; on an object store points wait in memory for some seconds."""

    def __init__(self, folder: Folder) -> None:
        self._log = LineLog(folder, CURVE)
        self.flush, self.flush_if_due = self._log.flush, self._log.flush_if_due

    def append(self, step: int, values: Mapping[str, float]) -> None:
        """Append a point; a resumed stage may record the same step again."""
        numbers = {name: float(value) for name, value in values.items()}
        self._log.append(Point(int(step), time.time(), numbers).line())


def append_point(folder: Folder, step: int, values: Mapping[str, float]) -> None:
    """Append a single point, at once."""
    log = CurveLog(folder)
    log.append(step, values)
    log.flush()


def is_record(name: str) -> bool:
    """Whether a file of a work folder only records what happened, so that nothing can be resumed from it."""
    return name in (PROGRESS, STOP) or is_part(name, CURVE)


def read_curve(folder: Folder) -> list[Point]:
    """Points sorted by step, the last one of each step; an incomplete line of a killed process is skipped."""
    recorded = (Point.parse(line) for line in read_lines(folder, CURVE))
    points = {point.step: point for point in recorded if point}
    return [points[step] for step in sorted(points)]


def write_progress(folder: Folder, done: float, total: float, note: str) -> None:
    content = asdict(Progress(float(done), float(total), redacted(note), time.time(), socket.gethostname()))
    folder.replace(PROGRESS, json.dumps(content).encode())


def request_stop(folder: Folder) -> None:
    folder.write_bytes(STOP, b"")


def withdraw_stop(folder: Folder) -> None:
    folder.delete_file(STOP)


def is_stop_requested(folder: Folder) -> bool:
    return folder.is_file(STOP)


def read_progress(folder: Folder) -> Progress | None:
    try:
        return read_typed(folder, PROGRESS, _PROGRESS)
    except (FileNotFoundError, Unreadable):
        return None


def read_summary(output: Folder) -> dict[str, float]:
    """The numbers of a result; empty without any. Raises PipelineError when the file is damaged."""
    content = read_result(output, SUMMARY, _SUMMARY) if output.exists(SUMMARY) else {}
    return {name: value for name, value in content.items() if _is_number(value)}


def _is_number(value: Any) -> bool:
    return isinstance(value, float) or (isinstance(value, int) and abs(value) < 2**63)


def read_result(output: Folder, name: str, decoder: msgspec.json.Decoder[T]) -> T:
    """A JSON file of a result. Raises PipelineError when it is missing or damaged."""
    try:
        return read_typed(output, name, decoder)
    except (Unreadable, FileNotFoundError) as error:
        raise PipelineError(
            f"{output.uri}/{name} cannot be read: {error}. `ssdpipe store verify --discard` discards damaged results, "
            "and the next run computes them again"
        ) from error
