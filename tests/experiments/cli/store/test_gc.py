"""What is deleted from a store, and what never is."""

from __future__ import annotations

import json
import os
import re
import time
from typing import TYPE_CHECKING

import pytest

from pipeline.folder import Folder
from pipeline.store import garbage
from pipeline.store.events import Event, EventLog
from pipeline.store.lease import Leases
from pipeline.store.process import Process
from pipeline.store.store import Store
from pipeline.store.unfollowed import delete_at

if TYPE_CHECKING:
    from tests.experiments.cli.conftest import Project

YEAR = 365 * 86_400.0


@pytest.fixture
def store(project: Project) -> Store:
    """A store with results, and one leftover of each kind."""
    store = Store.open(str(project.store))
    key = store.manifests()[0].key
    store.attempt(key, "1-killed").write_bytes("weights.pt.part", b"x" * 1000)
    store.attempt("b" * 64, "1-killed").write_bytes("half", b"x" * 100)
    store.work("a" * 64).write_bytes("step-20.pt", b"x" * 20)
    store.folder.write_bytes("keys/x.json.1234.part", b"x" * 3)
    os.utime(f"{store.folder.path}/keys/x.json.1234.part", (0, 0))
    store.folder.write_bytes(".probe-late", b"x")
    os.utime(f"{store.folder.path}/.probe-late", (0, 0))
    store.folder.write_bytes(".probe-new", b"x")
    store.folder.write_json("leases/dead.json", {"host": Process.this().host, "pid": 2**22 + 1, "started": 0.0})
    record(store, "20200101-000000-000", time.time() - YEAR)
    record(store, "20200101-000000-001", time.time() - YEAR + 60)
    return store


def record(store: Store, run_id: str, when: float) -> None:
    log = EventLog(store.run(run_id))
    log.on_event(Event(time=when, kind="run_started", data={"request": {"command": "run", "experiment": "gone"}}))
    log.on_event(Event(time=when, kind="planned", address="train/old"))
    log.on_event(Event(time=when, kind="started", address="train/old", key="a" * 64))
    log.on_event(Event(time=when, kind="run_finished", data={"status": "finished"}))


def files(store: Store) -> dict[str, int]:
    return {name: len(store.folder.read_bytes(name)) for name in store.folder.files()}


def test_the_dry_run_states_exactly_the_bytes_that_are_freed_then(project: Project, store: Store) -> None:
    before = files(store)
    stated = project.ssdpipe("gc", "--dry-run")
    assert files(store) == before
    done = project.ssdpipe("gc")
    freed = sum(before.values()) - sum(files(store).values())
    assert stated.stdout.splitlines()[-1] == f"{freed:,} bytes would be freed; nothing was deleted"
    assert done.stdout.splitlines()[-1] == f"{freed:,} bytes freed"


def test_only_leftovers_are_deleted(project: Project, store: Store) -> None:
    before = files(store)
    assert project.ssdpipe("gc").exit_code == 0
    gone = before.keys() - files(store).keys()
    results = {f"objects/{each.key}/{each.attempt}/{file.path}" for each in store.manifests() for file in each.files}
    assert not gone & results
    assert sorted(re.sub(r"[0-9a-f]{32,}", "KEY", name) for name in gone) == [
        ".probe-late",
        "keys/x.json.1234.part",
        "leases/dead.json",
        "objects/KEY/1-killed/half",
        "objects/KEY/1-killed/weights.pt.part",
        "runs/20200101-000000-000/events.jsonl",
    ]
    assert project.ssdpipe("gc").stdout == "0 bytes freed\n"


def test_work_is_kept_while_the_run_that_started_it_cannot_be_repeated_here(project: Project, store: Store) -> None:
    project.ssdpipe("gc")
    assert store.work("a" * 64).files() == ["step-20.pt"]


def test_work_whose_key_a_repeated_run_would_not_have_is_deleted(project: Project, store: Store) -> None:
    shards = store.manifests()[0]
    log = EventLog(store.run("20200101-000000-002"))
    log.on_event(Event(time=0.0, kind="run_started"))
    log.on_event(Event(time=0.0, kind="started", address=shards.address, key="c" * 64))
    store.work("c" * 64).write_bytes("images.parquet", b"x")
    project.ssdpipe("gc")
    assert not store.work("c" * 64).exists()


def test_nothing_that_a_running_driver_holds_is_deleted(project: Project, store: Store) -> None:
    leases = Leases(store.folder / "leases")
    leases.acquire("b" * 64)
    try:
        project.ssdpipe("gc")
        assert store.attempt("b" * 64, "1-killed").exists()
        assert store.folder.exists(f"leases/{'b' * 64}.json")
    finally:
        leases.close()


class Killed(BaseException):
    """The end of a process."""


def test_a_collection_killed_after_any_deletion_keeps_every_result_whole_and_the_next_one_finishes(
    project: Project, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = {name for name in files(store) if any(f"/{each.attempt}/" in name for each in store.manifests())}
    killed = 0

    def then_die(folder: Folder, path: str) -> None:
        delete_at(folder, path)
        raise Killed

    monkeypatch.setattr(garbage, "delete_at", then_die)
    for _ in range(20):
        try:
            project.ssdpipe("gc")
            break
        except Killed:
            killed += 1
        assert project.ssdpipe("store", "verify").exit_code == 0
    assert killed == 6
    assert results <= files(store).keys()
    assert project.ssdpipe("gc").stdout == "0 bytes freed\n"


def test_the_leftovers_are_json_with_their_bytes(project: Project, store: Store) -> None:
    document = json.loads(project.ssdpipe("gc", "--dry-run", "--json").stdout)
    assert document["bytes"] == sum(each["bytes"] for each in document["leftovers"]) > 0
    assert document["deleted"] is False
    assert all(each["path"] and each["what"] for each in document["leftovers"])


def test_du_accounts_for_every_byte_of_the_results(project: Project, store: Store) -> None:
    printed = project.ssdpipe("du").stdout
    assert re.search(r"^results of shard +2 +", printed, re.MULTILINE)
    assert re.search(r"^attempts without a result +1\.1 kB$", printed, re.MULTILINE)
    assert re.search(r"^the whole store ", printed, re.MULTILINE)
