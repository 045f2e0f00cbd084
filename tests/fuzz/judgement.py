"""Judge how a reader took a file: accepted, refused with a sentence, or a fault.

A fault is any exception but PipelineError, more than `MOST_SECONDS`, more than `MOST_MEMORY`, anything written, deleted
or started outside the target's folder, and another meaning of a file that was only rewritten.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import typer

from pipeline.errors import PipelineError
from tests.fuzz.target import Case

MOST_SECONDS = 10.0
MOST_MEMORY = 1 << 30
"""Bytes by which the peak of the process may grow while a file is read."""

ROOT = str(Path(__file__).parents[2])

WRITES = {"os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.chmod", "os.truncate"}
LINKS = {"os.link", "os.symlink"}
"""No reader makes any, so that no path inside the folder leads elsewhere."""

STARTS = {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "socket.connect"}


class Outside(BaseException):
    """Something was written outside the folder, or started; no `except Exception` hides it."""


class TooSlow(BaseException):
    """The time is over; no `except Exception` hides it."""


class Changed(AssertionError):
    """A file that was only rewritten is read as something else."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    outcome: str
    """accepted, refused or fault."""

    kind: str = ""
    """Type and place of a fault; faults of one kind have one cause."""

    detail: str = ""
    seconds: float = 0.0
    memory: int = 0
    """Bytes by which the peak grew."""


class Judge:
    """Judges one input at a time."""

    now: ClassVar[Judge | None] = None
    """The judge whose input is being read; Python's audit events go to it."""

    def __init__(self, place: Path) -> None:
        self._allowed = tuple(f"{folder}/" for folder in (place.resolve(), "/dev/null"))
        _listen()

    def judge(self, case: Case, content: bytes, *, same: bool = False) -> Verdict:
        """Let the case read the content; `same` says that it means what the sound file does."""
        act = (lambda: _compare(case, content)) if same else (lambda: case.read(content))
        before, start = _reset_peak(), time.perf_counter()
        outcome, kind, detail = self._outcome(act, refusal_is_fault=same)
        seconds, memory = time.perf_counter() - start, max(_peak() - before, 0)
        if outcome != "fault" and seconds > MOST_SECONDS:
            outcome, kind = "fault", "slow"
        if outcome != "fault" and memory > MOST_MEMORY:
            outcome, kind = "fault", "memory"
        return Verdict(outcome=outcome, kind=kind, detail=detail, seconds=seconds, memory=memory)

    def _outcome(self, act: Callable[[], Any], *, refusal_is_fault: bool) -> tuple[str, str, str]:
        try:
            with quiet(), self._watched():
                act()
        except (PipelineError, typer.Exit) as error:
            if refusal_is_fault and isinstance(error, PipelineError):
                return "fault", "a harmless change is refused", str(error)
            return "refused", "", str(error)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            return "fault", kind_of(error), "".join(traceback.format_exception(error, limit=-6))[-4000:]
        return "accepted", "", ""

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        earlier = signal.signal(signal.SIGALRM, _time_is_over)
        signal.setitimer(signal.ITIMER_REAL, MOST_SECONDS)
        Judge.now = self
        try:
            yield
        finally:
            Judge.now = None
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, earlier)

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Raise Outside for an event that no reader may cause."""
        if event in STARTS | LINKS:
            raise Outside(f"{event} {arguments!r}"[:300])
        if event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            self._check(event, arguments[0], -1)
        elif event in WRITES:
            self._check(event, arguments[int(event == "os.rename")], arguments[-1])

    def _check(self, event: str, path: Any, folder: Any) -> None:
        """Raise Outside unless a path, which may be relative to an open folder, is allowed."""
        if isinstance(path, int):
            return
        above = str(Path(f"/proc/self/fd/{folder}").readlink()) if isinstance(folder, int) and folder >= 0 else ""
        whole = os.path.abspath(os.path.join(above, os.fsdecode(path)))  # noqa: PTH100, PTH118 - links need not be followed
        if not f"{whole}/".startswith(self._allowed):
            raise Outside(f"{event} {whole}")


@cache
def _listen() -> None:
    """Hear all audit events, once for the process, since hooks stay."""
    sys.addaudithook(lambda event, arguments: Judge.now.audit(event, arguments) if Judge.now else None)


def _compare(case: Case, content: bytes) -> None:
    if (read := case.meaning(content)) != (sound := case.meaning(case.content)):
        raise Changed(f"read as {read!r:.1500}\ninstead of {sound!r:.1500}")


def kind_of(error: BaseException) -> str:
    """Type of an error, and the innermost line of the project's code that it passed."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename.startswith(ROOT) and "/tests/fuzz/" not in frame.filename]
    if isinstance(error, Changed | Outside) or not own:
        return type(error).__name__
    return f"{type(error).__name__} in {own[-1].filename.removeprefix(ROOT + '/')}, {own[-1].name}"


@contextlib.contextmanager
def quiet() -> Iterator[io.BytesIO]:
    """Collect what is printed, encoded as a terminal with UTF-8 would get it."""
    sink = io.BytesIO()
    printed = io.TextIOWrapper(sink, "utf-8", errors="backslashreplace", write_through=True)
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            yield sink
    finally:
        printed.detach()  # else it closes the sink


def _time_is_over(*_: object) -> None:
    raise TooSlow(f"more than {MOST_SECONDS:g} s")


def _reset_peak() -> int:
    """Set the peak of the process to its present memory, which is returned in bytes."""
    with contextlib.suppress(OSError), open("/proc/self/clear_refs", "wb") as stream:
        stream.write(b"5")
    return _peak()


def _peak() -> int:
    with open("/proc/self/status", "rb") as stream:
        line = next(line for line in stream if line.startswith(b"VmHWM"))
    return int(line.split()[1]) << 10


@contextlib.contextmanager
def own_folder() -> Iterator[Path]:
    """A folder for one target, in which nothing else writes, in memory where possible; no survey is cached."""
    os.environ["SSDPIPE_CACHE"] = "off"
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="fuzz-", dir=memory) as folder:
        (Path(folder) / "inside").mkdir()
        yield Path(folder) / "inside"
