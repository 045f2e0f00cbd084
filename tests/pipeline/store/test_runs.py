"""Recorded runs: which still run, as seen from this host and from others."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import PipelineError
from pipeline.store.events import Event, EventLog
from pipeline.store.process import Process
from pipeline.store.runs import KILL, STOP, StoredRun, find_run, lively_runs, request_stop, requested_stops
from pipeline.store.store import Store

THIS = Process.this()
FAR = replace(THIS, host="gpu7", machine="far/away")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(str(tmp_path / "store"))


def record(store: Store, run_id: str, process: Process, *, ago: float = 0.0, status: str = "") -> StoredRun:
    """A run with one stage that was started `ago` seconds before now."""
    log, then = EventLog(store.run(run_id)), time.time() - ago
    data = {"process": asdict(process), "argv": ["ssdpipe", "run", "it"]}
    log.on_event(Event(time=then, kind="run_started", data=data))
    log.on_event(Event(time=then, kind="planned", address="train/a"))
    log.on_event(Event(time=then, kind="started", address="train/a", key="k", data={"attempt": 1}))
    if status:
        log.on_event(Event(time=then, kind="run_finished", data={"status": status}))
    return StoredRun(store, run_id)


def lease(store: Store, process: Process) -> None:
    (store.folder / "leases").write_bytes("k.json", json.dumps(asdict(process)).encode())


def test_a_run_of_this_host_runs_as_long_as_its_process(store: Store) -> None:
    assert record(store, "a", THIS, ago=999).status == "running"
    assert record(store, "b", replace(THIS, started=1.0)).status == "killed"
    assert record(store, "c", replace(THIS, started=1.0), status="finished").status == "finished"


def test_a_silent_run_of_another_host_is_lost_unless_its_driver_renews_a_lease(store: Store) -> None:
    assert record(store, "fresh", FAR).status == "running"
    silent = record(store, "silent", FAR, ago=999)
    assert silent.status == "lost"
    lease(store, FAR)
    assert StoredRun(store, "silent").status == "running"
    lease(store, replace(FAR, pid=FAR.pid + 1))
    assert StoredRun(store, "silent").status == "lost"


def test_a_request_to_stop_shows_in_the_status_and_can_be_raised_to_kill(store: Store) -> None:
    run = record(store, "a", THIS)
    assert requested_stops(run.folder) == 0
    request_stop(run.folder)
    assert (requested_stops(run.folder), StoredRun(store, "a").status) == (1, "stopping")
    request_stop(run.folder, kill=True)
    assert (requested_stops(run.folder), run.folder.read_bytes(STOP)) == (2, KILL)


def test_runs_that_have_not_ended_are_listed_newest_first(store: Store) -> None:
    for run_id, status in (("1", ""), ("2", "failed"), ("3", "")):
        record(store, run_id, THIS, status=status)
    assert [run.id for run in lively_runs(store)] == ["3", "1"]


def test_a_run_is_named_by_the_first_characters_of_its_id(store: Store) -> None:
    for run_id in ("20261127-1", "20261127-12", "20261128"):
        record(store, run_id, THIS)
    assert find_run(store, "20261127-1").id == "20261127-1"
    assert find_run(store, "20261128").id == "20261128"
    wrong: list[tuple[str, str]] = [("2026112", "start of 3 runs"), ("2027", "no run '2027'"), ("", "no run ''")]
    for text, message in wrong:
        with pytest.raises(PipelineError, match=message):
            find_run(store, text)


def test_a_damaged_request_counts_as_a_request_to_save(store: Store) -> None:
    run: Any = record(store, "a", THIS)
    run.folder.write_bytes(STOP, b"\xff")
    assert requested_stops(run.folder) == 1
