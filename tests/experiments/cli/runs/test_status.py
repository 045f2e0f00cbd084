"""`ssdpipe status`, `logs` and `stop` on a store in which a run goes on, here or on another host."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from experiments.cli.main import app
from pipeline.errors import Interrupted, PipelineError
from pipeline.execution.executor import InlineExecutor
from pipeline.execution.scheduler import Scheduler
from pipeline.planning.graph import Graph
from pipeline.planning.resolver import Resolver
from pipeline.stage import Context, Stage
from pipeline.store.events import Event, EventLog
from pipeline.store.lease import Leases
from pipeline.store.process import Process
from pipeline.store.record import write_progress
from pipeline.store.store import Store

if TYPE_CHECKING:
    from tests.experiments.cli.conftest import Project

FAR = replace(Process.this(), host="gpu7", pid=4242, machine="far/away")
RUN = "20261127-101500-123"


@dataclass(frozen=True, kw_only=True)
class Asks(Stage):
    """Runs a command while it runs."""

    store: str
    command: tuple[str, ...] = ()
    above: tuple[Stage, ...] = ()

    def run(self, ctx: Context) -> None:
        if self.command:
            done = CliRunner().invoke(app, [*self.command, "--store", self.store])
            ctx.out.write_bytes("printed", done.output.encode())


@pytest.fixture
def far(tmp_path: Path) -> Iterator[Store]:
    """A store with a run of another host, in which one stage trains and another waits for the driver of the test."""
    store = _record(Store.open(str(tmp_path / "store")), time.time())
    leases = Leases(store.folder / "leases")
    leases.acquire("ktrain-b")
    yield store
    leases.close()


def _record(store: Store, now: float) -> Store:
    log = EventLog(store.run(RUN))
    story: list[tuple[float, str, str, dict[str, Any]]] = [
        (100, "run_started", "", {"process": asdict(FAR), "argv": ["/bin/ssdpipe", "run", "it", "--gpus", "2"]}),
        *((100, "planned", name, {}) for name in ("shard/a", "train/a", "train/b", "detect/a")),
        (100, "cached", "shard/a", {}),
        (90, "started", "train/a", {"attempt": 1, "cpus": 8, "gpus": 1}),
        (90, "waiting", "train/b", {"holder": "other driver, pid 7"}),
        (60, "progress", "train/a", {"done": 100, "total": 400, "note": "loss 4.2", "host": "gpu8"}),
        (10, "progress", "train/a", {"done": 200, "total": 400, "note": "loss 4.0", "host": "gpu8"}),
    ]
    for ago, kind, address, data in story:
        key = f"k{address.replace('/', '-')}"
        log.on_event(Event(time=now - ago, kind=kind, address=address, key=key, data=data))
    return store


def ssdpipe(store: Store, *arguments: str) -> str:
    return CliRunner().invoke(app, [*arguments, "--store", store.folder.uri], catch_exceptions=False).output


def test_status_shows_what_runs_where_since_when_and_how_long_still(far: Store) -> None:
    first, command, counts, *stages = ssdpipe(far, "status").splitlines()
    assert first.startswith(f"{RUN}  running on gpu7, pid 4242, since ")
    assert re.search(r"\(1:4\d\)$", first)
    assert command == "  ssdpipe run it --gpus 2"
    assert counts == "  1 of 4 stages done, 1 running, 1 waiting, 1 planned"
    assert re.fullmatch(r"  train/a  running on gpu8  1:3\d  200 of 400  loss 4.0  eta 1:40", stages[0])
    assert stages[1:] == ["  train/b  waiting                other driver, pid 7"]


def test_status_as_json_has_the_same_facts(far: Store) -> None:
    (run,) = json.loads(ssdpipe(far, "status", "--json"))
    assert (run["run"], run["status"], run["driver"]["host"]) == (RUN, "running", "gpu7")
    training = run["stages"]["train/a"]
    assert (training["host"], training["done"], round(training["eta"])) == ("gpu8", 200, 100)
    assert run["counts"] == {"cached": 1, "running": 1, "waiting": 1, "planned": 1}


def test_status_of_a_quiet_store_shows_the_newest_run(project: Project, tmp_path: Path) -> None:
    shown = project.ssdpipe("status").output
    assert shown.startswith(f"nothing runs in the store {project.store}; the newest run:\n\nfirst  finished on ")
    assert "2 of 2 stages done" in shown
    assert ssdpipe(Store.open(str(tmp_path / "empty")), "status") == f"nothing runs in the store {tmp_path}/empty\n"


def test_a_run_that_was_cut_off_is_shown_as_lost(tmp_path: Path) -> None:
    shown = ssdpipe(_record(Store.open(str(tmp_path)), time.time() - 600), "status", RUN)
    assert f"{RUN}  lost on gpu7" in shown
    assert re.search(r"no sign of life for 10:1\d: its host is gone or cut off; the same command resumes", shown)
    assert "was running on gpu8" in shown
    assert "was waiting" in shown


def test_a_stopped_stage_is_shown_with_the_progress_that_it_resumes_from(tmp_path: Path) -> None:
    store = _record(Store.open(str(tmp_path)), time.time())
    log = EventLog(store.run(RUN))
    log.on_event(Event(time=time.time(), kind="cancelled", address="train/a", key="ktrain-a", data={}))
    write_progress(store.work("ktrain-a"), 376, 400, "loss 3.1")
    assert re.search(r"  train/a  cancelled +376 of 400\n", ssdpipe(store, "status", RUN))


def test_a_stage_whose_other_driver_is_gone_waits_for_room(tmp_path: Path) -> None:
    shown = ssdpipe(_record(Store.open(str(tmp_path)), time.time()), "status")
    assert (
        shown.splitlines()[-1] == "  train/b  waiting                for room; other driver, pid 7, no longer runs it"
    )


def test_logs_prints_what_a_stage_wrote_by_address_or_key(far: Store) -> None:
    (far.run(RUN) / "logs").write_bytes("train__a.log", "Füße\n".encode())
    assert ssdpipe(far, "logs", "train/a") == "Füße\n"
    assert ssdpipe(far, "logs", "ktrain", "--run", RUN) == "Füße\n"
    with pytest.raises(PipelineError, match=r"no stage 'train/b' was started in any run .*; there is only train/a"):
        ssdpipe(far, "logs", "train/b")


def test_logs_follows_a_stage_until_it_ends(far: Store) -> None:
    logs = far.run(RUN) / "logs"
    logs.append("train__a.log", b"one\n")

    def go_on() -> None:
        time.sleep(0.3)
        logs.append("train__a.log", b"two\n")
        event = Event(time=time.time(), kind="committed", address="train/a", key="k", data={"seconds": 1.0})
        EventLog(far.run(RUN)).on_event(event)

    thread = threading.Thread(target=go_on)
    thread.start()
    assert ssdpipe(far, "logs", "train/a", "--follow") == "one\ntwo\n"
    thread.join()


def test_stop_asks_the_only_run_and_refuses_one_that_has_ended(far: Store, project: Project) -> None:
    assert f"asked run {RUN} on gpu7, pid 4242, to stop" in ssdpipe(far, "stop")
    assert f"{RUN}  stopping on gpu7" in ssdpipe(far, "status")
    refused = project.ssdpipe("stop", "first").exception
    assert "run first does not run: its status is finished" in str(refused)


@pytest.mark.parametrize("how", [(), ("--kill",)])
def test_a_driver_heeds_a_request_in_the_store(tmp_path: Path, how: tuple[str, ...]) -> None:
    place = str(tmp_path / "store")
    store = Store.open(place)
    first = Asks(store=place, command=("stop", *how), variant="first")
    graph = Graph([Asks(store=place, above=(first,), variant="second")])
    log = EventLog(store.run(RUN))
    with pytest.raises(Interrupted, match="1 of 2 stages are kept; the same command resumes"):
        Scheduler(graph, store, InlineExecutor(), Resolver(graph), run_id=RUN, observers=[log]).run()
    assert "interrupted" in ssdpipe(store, "status", RUN)
