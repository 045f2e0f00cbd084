"""Trace of the project's files that handle a value: one of their functions receives or returns it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType, TracebackType
from typing import Any

ROOT = Path(__file__).parents[2]
PACKAGES = ("experiments", "stages", "pipeline", "ssd_core")


@dataclass(frozen=True)
class Stop:
    """A file on the path, and the first of its functions that handled the value."""

    file: str
    function: str


class Trace:
    """Collects the stops of a walk, each file once, in the order in which they are reached.

    `handles` decides whether a value is one of the traced forms; a list or tuple is judged by its first item. The walk
    ends when a function of the file `until` is called.
    """

    def __init__(self, handles: Callable[[Any], bool], *, until: str = "") -> None:
        self._handles, self._until = handles, until
        self._prefixes = tuple(f"{ROOT / package}/" for package in PACKAGES)
        self.stops: dict[str, Stop] = {}

    def __enter__(self) -> Trace:
        sys.setprofile(self._see)
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        sys.setprofile(None)

    def _see(self, frame: FrameType, event: str, value: Any) -> None:
        code = frame.f_code
        if event not in ("call", "return") or not code.co_filename.startswith(self._prefixes):
            return
        if code.co_name == "<module>":
            return
        file = str(Path(code.co_filename).relative_to(ROOT))
        if file == self._until:
            sys.setprofile(None)
            return
        if file in self.stops:
            return
        if any(map(self._is_it, _arguments(frame, code) if event == "call" else [value])):
            self.stops[file] = Stop(file, code.co_qualname.replace(".<locals>", ""))

    def _is_it(self, value: Any) -> bool:
        if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
            return any(map(self._handles, value[:1]))
        return self._handles(value)


def _arguments(frame: FrameType, code: CodeType) -> list[Any]:
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return [frame.f_locals[name] for name in names if name in frame.f_locals]
