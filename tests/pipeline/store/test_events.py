"""The event log, and the state of a run as a fold over it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.folder import Folder
from pipeline.store.events import EVENTS, Event, EventLog, fold, new_run_id, read_events
from pipeline.store.process import Process

THIS = Process.this()


def story() -> list[Event]:
    process = {"host": THIS.host, "pid": THIS.pid, "started": THIS.started}
    told: list[tuple[str, str, dict[str, Any]]] = [
        ("run_started", "", {"argv": ["ssdpipe", "run"], "process": process}),
        *(("planned", name, {}) for name in "abcdef"),
        ("cached", "a", {}),
        ("started", "b", {"attempt": 1}),
        ("progress", "b", {"done": 5.0, "total": 10.0, "note": "loss 3.2"}),
        ("retried", "b", {"reason": "node died", "delay": 2.0}),
        ("started", "b", {"attempt": 2}),
        ("committed", "b", {"seconds": 1.5}),
        ("started", "c", {"attempt": 1}),
        ("failed", "c", {"class": "ValueError", "message": "no boxes", "traceback": "..."}),
        ("skipped", "d", {"because": "c failed"}),
        ("waiting", "e", {"holder": "other driver, pid 7"}),
    ]
    return [
        Event(time=float(second), kind=kind, address=name, data=data) for second, (kind, name, data) in enumerate(told)
    ]


def test_the_state_of_a_run_is_a_fold_over_its_events():
    run = fold(story())
    assert {name: node.state for name, node in run.nodes.items()} == {
        "a": "cached", "b": "committed", "c": "failed", "d": "skipped", "e": "waiting", "f": "planned",
    }  # fmt: skip
    assert (run.nodes["b"].attempt, run.nodes["b"].seconds, run.nodes["b"].total) == (2, 1.5, 10.0)
    assert (run.nodes["c"].note, run.nodes["d"].note) == ("no boxes", "c failed")
    assert (run.status, run.argv, run.started, run.last) == ("running", ["ssdpipe", "run"], 0.0, 16.0)


def test_a_run_that_never_ended_and_whose_process_is_gone_is_dead():
    events = story()
    assert not fold(events).is_dead
    events[0].data["process"]["started"] = 1.0  # another process had this number
    assert fold(events).is_dead
    finished = Event(time=99.0, kind="run_finished", data={"status": "failed"})
    assert not fold([*events, finished]).is_dead


def test_events_are_read_as_written_and_an_incomplete_last_line_is_skipped(tmp_path):
    log = EventLog(Folder(str(tmp_path)))
    for event in story():
        log.on_event(event)
    with (tmp_path / EVENTS).open("ab") as stream:
        stream.write(b'{"time": 18.0, "kind": "comm')
    assert read_events(Folder(str(tmp_path))) == story()


def test_a_run_without_events_has_no_state(tmp_path):
    assert fold(read_events(Folder(str(tmp_path / "none")))).status == "unknown"


def test_progress_is_logged_every_ten_seconds_at_most(tmp_path):
    log = EventLog(Folder(str(tmp_path)))
    for second in range(35):
        log.on_event(Event(time=100.0 + second, kind="progress", address="a"))
        log.on_event(Event(time=100.0 + second, kind="progress", address="b"))
    lines = [json.loads(line) for line in Path(tmp_path, EVENTS).read_text(encoding="utf-8").splitlines()]
    assert [line["time"] for line in lines if line["address"] == "a"] == [100.0, 110.0, 120.0, 130.0]
    assert len(lines) == 8


def test_run_ids_sort_by_time():
    moment = datetime(2026, 11, 22, 15, 30, 12, 123_456, tzinfo=UTC)
    assert new_run_id(moment) == "20261122-153012-123"


@pytest.mark.parametrize("line", [b"", b"null", b"[]", b'{"time": 1}'])
def test_a_line_that_is_no_event_is_skipped(tmp_path, line):
    (tmp_path / EVENTS).write_bytes(line + b"\n")
    assert read_events(Folder(str(tmp_path))) == []
