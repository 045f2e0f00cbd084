"""Displays of a run: a live table on a terminal; plain lines in a file, a pipe or a CI log.

Tested in tests/pipeline/display/test_board.py.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from pipeline.display.board import Board, news, progress_lines
from pipeline.terminal import visible

if TYPE_CHECKING:
    from pipeline.store.events import Event, Observer

LINE_SECONDS = 15.0
"""Shortest time between two lines about the progress of a stage."""


def display(total: int, stream: TextIO | None = None) -> Observer:
    """The display that suits the stream (by default stderr); `total` is the number of stages in the graph."""
    stream = stream or sys.stderr
    return LiveDisplay(total, stream) if stream.isatty() else PlainDisplay(total, stream)


class PlainDisplay:
    """Prints a line for each event, and for progress now and then."""

    def __init__(self, total: int, stream: TextIO) -> None:
        self._board, self._stream = Board(total), stream
        self._written: dict[str, float] = {}

    def on_event(self, event: Event) -> None:
        self._board.apply(event)
        if event.kind == "progress":
            self._report_progress(event)
        elif text := news(event):
            self._written[event.address] = event.time
            self._write(event.address, text)

    def tick(self) -> None:
        pass

    def _report_progress(self, event: Event) -> None:
        stage = self._board.running.get(event.address)
        if stage and event.time - self._written.get(event.address, 0.0) >= LINE_SECONDS:
            self._written[event.address] = event.time
            self._write(event.address, stage.text())

    def _write(self, address: str, text: str) -> None:
        self._stream.write(f"{self._board.counts()} {visible(address)}  {visible(text)}\n")
        self._stream.flush()


class LiveDisplay:
    """Finished stages scroll by; below them is a line with a progress bar for each running stage."""

    def __init__(self, total: int, stream: TextIO) -> None:
        from rich.console import Console
        from rich.live import Live

        self._board = Board(total)
        self._console = Console(file=getattr(stream, "terminal", stream), highlight=False)
        self._live = Live(console=self._console, auto_refresh=False, transient=True, get_renderable=self._table)

    def on_event(self, event: Event) -> None:
        self._board.apply(event)
        if event.kind == "run_started":
            self._live.start()
        elif event.kind == "run_finished":
            self._live.stop()
        elif event.kind != "started" and (text := news(event)):
            self._live.refresh()  # so that the table below the line is current
            self._console.print(visible(f"{self._board.counts()} {event.address}  {text}"), markup=False)

    def tick(self) -> None:
        self._live.refresh()

    def _table(self) -> Any:
        from rich.text import Text

        lines = progress_lines(self._board.running, time.time(), self._console.width)
        return Text("\n".join([*lines, f"{self._board.counts()} stages have ended"]), no_wrap=True, overflow="crop")


@contextmanager
def announced(text: str, stream: TextIO | None = None) -> Iterator[None]:
    """Within the block, a line on the terminal says what the command waits for."""
    stream = stream or sys.stderr
    terminal = getattr(stream, "terminal", stream) if stream.isatty() else None
    if terminal:
        terminal.write(text)
        terminal.flush()
    try:
        yield
    finally:
        if terminal:
            terminal.write("\r\x1b[K")
            terminal.flush()
