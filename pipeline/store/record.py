"""What a stage tells of itself while it runs, in its work folder, from whatever process it likes.

metrics.jsonl    one line {"step", "time", "values"} for each recorded point; the last line of a step counts
progress.json    {"done", "total", "note", "time"}, replaced as a whole

What it tells at its end, `summary.json` in its result, holds {name: number}.

Tested in tests/pipeline/execution/test_run_stage.py.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from pipeline.folder import Folder

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
        """None for half a line of a killed process."""
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
    """Add a point; a resumed stage may tell the same step again."""
    numbers = {name: float(value) for name, value in values.items()}
    folder.append(CURVE, Point(int(step), time.time(), numbers).line())


def read_curve(folder: Folder) -> list[Point]:
    """Points sorted by step, the last of each step; half a line of a killed process is left out."""
    if not folder.exists(CURVE):
        return []
    told = (Point.parse(line) for line in folder.read_bytes(CURVE).splitlines())
    points = {point.step: point for point in told if point}
    return [points[step] for step in sorted(points)]


def write_progress(folder: Folder, done: float, total: float, note: str) -> None:
    content = asdict(Progress(float(done), float(total), note, time.time()))
    folder.replace(PROGRESS, json.dumps(content).encode())


def read_progress(folder: Folder) -> Progress | None:
    try:
        return Progress(**folder.read_json(PROGRESS))
    except (FileNotFoundError, ValueError, TypeError):
        return None
