"""State of a run for displays: how many stages have ended, which are running, and how long they will still take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.store.events import Event
from pipeline.terminal import visible

BAR = 8
"""Characters of a progress bar."""

ENDED = ("cached", "committed", "failed", "skipped", "cancelled")


@dataclass
class RunningStage:
    """Progress of one stage since it started; times are in seconds since 1970."""

    began: float
    done: float = 0.0
    total: float = 0.0
    note: str = ""
    host: str = ""
    first: tuple[float, float] | None = None
    """Time and `done` of the first progress report: a resumed stage does not begin at zero."""

    reported: float = 0.0
    """Time of the newest progress report."""

    def update(self, event: Event) -> None:
        self.done, self.total, self.note = event.data["done"], event.data["total"], event.data["note"]
        self.host = event.data.get("host", "")
        self.first = self.first or (event.time, self.done)
        self.reported = event.time

    def eta(self) -> float | None:
        """Remaining seconds at the pace so far; None while the pace is unknown."""
        if self.first is None or self.done <= self.first[1]:
            return None
        pace = (self.done - self.first[1]) / (self.reported - self.first[0])
        return (self.total - self.done) / pace

    def text(self) -> str:
        """`120 of 400  loss 4.2, 75 images/s  eta 1:10`; empty before the first progress."""
        if self.first is None:
            return ""
        eta = self.eta()
        parts = [f"{self.done:,.0f} of {self.total:,.0f}", self.note, f"eta {clock(eta)}" if eta is not None else ""]
        return "  ".join(part for part in parts if part)


def progress_lines(running: Mapping[str, RunningStage], now: float, width: int) -> list[str]:
    """A line for each running stage: address, bar, steps, remaining time, note. Only the note may lose parts."""
    names = {address: _shortened(visible(address), width // 2) for address in running}
    longest = max(map(len, names.values()), default=0)
    return [_progress_line(names[address].ljust(longest), stage, now, width) for address, stage in running.items()]


def _progress_line(name: str, stage: RunningStage, now: float, width: int) -> str:
    if stage.first is None:
        return f"{name}  starting, {clock(now - stage.began)}"[:width]
    eta = stage.eta()
    steps = f"{stage.done:,.0f}/{stage.total:,.0f}"
    line = "  ".join([name, _bar(stage), steps, *([f"eta {clock(eta)}"] if eta is not None else [])])
    if len(line) > width:  # a narrow terminal has no room for the bar
        line = line.replace(f"{_bar(stage)}  ", "")
    note = _cut(visible(stage.note), max(width - len(line) - 2, 0))
    return f"{line}  {note}".rstrip()[:width]


def _cut(note: str, room: int) -> str:
    """The note, or as many of its parts, divided by commas, as there is room for."""
    return note if len(note) <= room else note[: room + 2].rpartition(", ")[0]


def _bar(stage: RunningStage) -> str:
    filled = int(BAR * min(stage.done / stage.total, 1.0)) if stage.total else 0
    return f"[{'#' * filled}{'-' * (BAR - filled)}]"


def _shortened(name: str, width: int) -> str:
    """The name, its middle left out where it is longer: both ends tell stages apart."""
    half = (width - 2) // 2
    return name if len(name) <= width else f"{name[:half]}..{name[-half:]}"


@dataclass
class Board:
    """A fold over the events of a run."""

    total: int
    ended: int = 0
    running: dict[str, RunningStage] = field(default_factory=dict)
    """Running stages by address, in the order in which they started."""

    def apply(self, event: Event) -> None:
        if event.kind == "started":
            self.running[event.address] = RunningStage(began=event.time)
        elif event.kind == "progress" and event.address in self.running:
            self.running[event.address].update(event)
        elif event.kind in ENDED or event.kind == "retried":
            self.running.pop(event.address, None)
            self.ended += event.kind in ENDED

    def counts(self) -> str:
        """`[ 3/22]`"""
        width = len(str(self.total))
        return f"[{self.ended:{width}}/{self.total}]"


def news(event: Event) -> str:
    """Short message about an event of a stage; empty for progress and for events of the whole run."""
    data = event.data
    if event.kind == "started":
        return "started" if data["attempt"] == 1 else f"started again (attempt {data['attempt']})"
    if event.kind == "committed":
        return f"done in {clock(data['seconds'])}"
    if event.kind == "failed":
        return f"failed: {_first_line(data['message']) or data['class']}"
    if event.kind == "retried":
        return f"lost its worker, retry in {data['delay']:.0f} s: {_first_line(data['reason'])}"
    plain = {"cached": "cached", "cancelled": "stopped"}
    plain |= {"skipped": f"skipped: {data.get('because')}", "waiting": f"waits for {data.get('holder')}"}
    return plain.get(event.kind, "")


def clock(seconds: float) -> str:
    """`0:07`, `1:10`, `2:03:40`"""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]
