"""What displays show, event by event."""

from __future__ import annotations

import io
from typing import Any

import pytest

from pipeline.display.board import Board, clock, news, progress_lines
from pipeline.display.screen import LiveDisplay, PlainDisplay, announced, display
from pipeline.store.events import Event


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def event(kind: str, address: str = "train/a", time: float = 0.0, **data: Any) -> Event:
    return Event(time=time, kind=kind, address=address, data=data)


def failed(kind: str, message: str) -> Event:
    return Event(time=0.0, kind="failed", address="train/a", data={"class": kind, "message": message})


def progress(time: float, done: float, total: float = 400, note: str = "loss 4.2") -> Event:
    return event("progress", time=time, done=done, total=total, note=note)


def test_the_pace_of_a_resumed_stage_counts_from_where_it_resumed() -> None:
    board = Board(total=22)
    for told in (event("started", attempt=1), progress(100, 100), progress(120, 120)):
        board.apply(told)
    assert board.running["train/a"].eta() == 280  # one step a second, 280 to go
    assert board.running["train/a"].text() == "120 of 400  loss 4.2  eta 4:40"


def test_there_is_no_eta_without_a_pace() -> None:
    board = Board(total=1)
    for told in (event("started", attempt=1), progress(100, 100), progress(100, 100)):
        board.apply(told)
    assert board.running["train/a"].eta() is None


def test_a_stage_that_lost_its_worker_has_not_ended() -> None:
    board = Board(total=2)
    board.apply(event("started", attempt=1))
    board.apply(event("retried", reason="gone", delay=2.0))
    assert (board.ended, board.running) == (0, {})
    board.apply(event("started", attempt=2))
    board.apply(event("committed", seconds=3.0))
    assert board.counts() == "[1/2]"


@pytest.mark.parametrize(("seconds", "text"), [(7, "0:07"), (70, "1:10"), (7420, "2:03:40")])
def test_times_are_formatted_as_on_a_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_only_the_first_line_of_a_failure_is_news() -> None:
    assert news(failed("OSError", "no room\nat all")) == "failed: no room"
    assert news(failed("MemoryError", "")) == "failed: MemoryError"


def test_plain_lines_report_progress_every_fifteen_seconds() -> None:
    stream = io.StringIO()
    shown = PlainDisplay(3, stream)
    shown.on_event(event("cached", "shard/train"))
    shown.on_event(event("started", attempt=1, time=0))
    for second in range(1, 32):
        shown.on_event(progress(second, second))
    shown.on_event(event("committed", time=40, seconds=40.0))
    assert stream.getvalue().splitlines() == [
        "[1/3] shard/train  cached",
        "[1/3] train/a  started",
        "[1/3] train/a  15 of 400  loss 4.2  eta 6:25",
        "[1/3] train/a  30 of 400  loss 4.2  eta 6:10",
        "[2/3] train/a  done in 0:40",
    ]


def test_a_stream_that_is_no_terminal_gets_plain_lines() -> None:
    assert isinstance(display(1, io.StringIO()), PlainDisplay)


def test_on_a_terminal_running_stages_stay_below_what_has_ended() -> None:
    stream = Terminal()
    shown = display(2, stream)
    assert isinstance(shown, LiveDisplay)
    for told in (Event(time=0, kind="run_started"), event("cached", "shard/[train]"), event("started", attempt=1)):
        shown.on_event(told)
    shown.on_event(progress(1, 120))
    shown.tick()
    shown.on_event(Event(time=2, kind="run_finished"))
    assert "[1/2] shard/[train]  cached" in stream.getvalue()  # an address is no markup
    assert "120/400" in stream.getvalue()


STAGES = {
    "train/conv4_3-to-conv8_2-inside/seed0": (1_200, 1_650, "loss 4.21, 75 images/s"),
    "train/a-rather-long-name-of-an-own-ablation-with-many-words/seed0": (119_000, 120_000, "loss 2.2, 1,211 images/s"),
    "evaluate/all-six/seed0": (0, 0, ""),
}


@pytest.mark.parametrize("width", [60, 80, 95, 120])
def test_a_progress_line_fits_the_terminal_and_shows_steps_and_remaining_time_whole(width: int) -> None:
    board = Board(total=22)
    for address, (done, total, note) in STAGES.items():
        board.apply(event("started", address, attempt=1))
        for moment in (100, 160) if total else ():
            steps = done - 600 if moment == 100 else done
            board.apply(event("progress", address, time=moment, done=steps, total=total, note=note))
    first, second, third = progress_lines(board.running, now=170.0, width=width)
    assert max(map(len, (first, second, third))) <= width
    assert "1,200/1,650  eta 0:45" in first
    assert "119,000/120,000  eta 1:40" in second
    assert second.startswith("train/a-rather")
    assert "/seed0" in second
    assert third.split() == ["evaluate/all-six/seed0", "starting,", "2:50"]
    assert ("[#####---]" in first) == (width >= 80)
    assert first.endswith({60: "eta 0:45", 80: "eta 0:45", 95: "loss 4.21", 120: "loss 4.21, 75 images/s"}[width])


def test_a_line_says_what_a_terminal_waits_for_and_vanishes() -> None:
    stream = Terminal()
    with announced("starting Ray", stream):
        assert stream.getvalue() == "starting Ray"
    assert stream.getvalue() == "starting Ray\r\x1b[K"
    plain = io.StringIO()
    with announced("starting Ray", plain):
        assert plain.getvalue() == ""
