"""Curves and progress that a running stage records in its work folder, from any of its processes.

metrics.jsonl    one line {"step", "time", "values"} for each recorded point; the last line of a step is valid
progress.json    {"done", "total", "note", "time"}, replaced as a whole

A finished stage may write `summary.json` into its result: {name: number}.

Tested in tests/pipeline/execution/test_run_stage.py.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from pipeline.folder import Folder
from pipeline.redaction import redacted

CURVE = "metrics.jsonl"
PROGRESS = "progress.json"
SUMMARY = "summary.json"


@dataclass(frozen=True)
class Point:
    step: int
    time: float
    """Seconds since 1970."""

    values: dict[str, float]

    @classmethod
    def parse(cls, line: bytes) -> Point | None:
        """Parse a line; None for an incomplete line of a killed process."""
        try:
            return cls(**json.loads(line))
        except (ValueError, TypeError):
            return None

    def line(self) -> bytes:
        return json.dumps(asdict(self)).encode() + b"\n"


@dataclass(frozen=True)
class Progress:
    done: float
    total: float
    note: str
    time: float


def append_point(folder: Folder, step: int, values: Mapping[str, float]) -> None:
    """Append a point; a resumed stage may record the same step again."""
    numbers = {name: float(value) for name, value in values.items()}
    folder.append(CURVE, Point(int(step), time.time(), numbers).line())


def read_curve(folder: Folder) -> list[Point]:
    """Points sorted by step, the last one of each step; an incomplete line of a killed process is skipped."""
    if not folder.exists(CURVE):
        return []
    recorded = (Point.parse(line) for line in folder.read_bytes(CURVE).splitlines())
    points = {point.step: point for point in recorded if point}
    return [points[step] for step in sorted(points)]


def write_progress(folder: Folder, done: float, total: float, note: str) -> None:
    content = asdict(Progress(float(done), float(total), redacted(note), time.time()))
    folder.replace(PROGRESS, json.dumps(content).encode())


def read_progress(folder: Folder) -> Progress | None:
    try:
        return Progress(**folder.read_json(PROGRESS))
    except (FileNotFoundError, ValueError, TypeError):
        return None
