"""A store that is damaged, or made by somebody who means harm: every command ends with a sentence."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from experiments.cli.main import app
from experiments.cli.requests import ExperimentRequest
from pipeline.errors import PipelineError
from pipeline.execution.executor import InlineExecutor
from pipeline.execution.scheduler import Scheduler
from pipeline.planning.graph import Graph
from pipeline.planning.resolver import Resolver
from pipeline.store.events import EventLog
from pipeline.store.provenance import run_provenance
from pipeline.store.store import Store
from stages.placement import Placement

EXPERIMENT = """
from dataclasses import dataclass

from ssdpipe import RUNS, Context, Experiment, Row, Stage


@dataclass(frozen=True, kw_only=True)
class Third(Stage):
    def run(self, ctx: Context) -> None:
        ctx.out.write_json("summary.json", {"third": 1 / 3})


experiment = Experiment(
    name="thirds",
    question="How much is a third?",
    answers="no table",
    expects="less than a half",
    row_title="number",
    rows=(Row(label="one", run=RUNS["ssd300-voc0712"], result=lambda setup: Third(), metric="third", published=0.5),),
)
"""
RUN = "20260101-000000-000"
MISSING = object()


def nested(depth: int) -> Any:
    """A list of a list of a list ..."""
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


@dataclass(frozen=True)
class Ran:
    """A store in which an experiment of one stage and its table ran."""

    store: Path
    file: str
    """Path of the experiment."""

    def ssdpipe(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, arguments, env={"SSDPIPE_STORE": str(self.store)})

    def every_command(self) -> Iterator[tuple[str, Result]]:
        own = (self.file, "--preset", "tiny")
        for command in (
            ("plan", *own), ("show", "third"), ("show", "table/thirds"), ("compare", *own), ("compare",),
            ("report", *own), ("why", "third", *own), ("why", "third"), ("store", "verify"), ("du",),
            ("gc", "--dry-run"), ("gc", "--run-days", "0"),
        ):  # fmt: skip
            yield " ".join(command), self.ssdpipe(*command)

    def path(self, address: str) -> Path:
        """The manifest of a result."""
        files = self.store.glob("keys/*.json")
        return next(file for file in files if json.loads(file.read_text())["address"] == address)

    def change(self, address: str, change: Callable[[dict[str, Any]], object]) -> None:
        """Rewrite the manifest of a result."""
        file = self.path(address)
        content = json.loads(file.read_text())
        change(content)
        file.write_text(json.dumps(content))

    def overwrite(self, address: str, name: str, content: bytes) -> None:
        """Replace a file of a result, with size and checksum as its manifest states them."""
        manifest = json.loads(self.path(address).read_text())
        (self.store / "objects" / manifest["key"] / manifest["attempt"] / name).write_bytes(content)
        stated = {"path": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        others = [file for file in manifest["files"] if file["path"] != name]
        self.change(address, lambda written: written.update(files=[*others, stated]))


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    folder = tmp_path_factory.mktemp("hostile")
    file = folder / "thirds.py"
    file.write_text(EXPERIMENT)
    request = ExperimentRequest(experiment=str(file), preset="tiny")
    graph, store = Graph(request.targets(Placement())), Store.open(str(folder / "store"))
    log, provenance = EventLog(store.run(RUN)), {**run_provenance(), "request": request.to_json()}
    Scheduler(graph, store, InlineExecutor(), Resolver(graph), run_id=RUN, observers=[log], provenance=provenance).run()
    store.prepare()
    yield Ran(folder / "store", str(file))
    sys.modules.pop("thirds")
    sys.path.remove(str(folder))


@pytest.fixture
def ran(once: Ran, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ran:
    shutil.copytree(once.store, tmp_path / "store")
    monkeypatch.chdir(tmp_path)  # `report` writes there
    return Ran(tmp_path / "store", once.file)


def assert_sentences(ran: Ran) -> None:
    for command, done in ran.every_command():
        ends = done.exception is None or isinstance(done.exception, SystemExit | PipelineError)
        assert ends, f"{command}: {done.exception!r}"


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"{}", b'"1"', b'{"format": "1"}', b'{"format": null}', b'{"format": 0}', b"\xff", b"[" * 9999],
)
def test_a_damaged_format_file_is_refused_by_name_with_the_remedy(ran: Ran, content: bytes) -> None:
    (ran.store / "format.json").write_bytes(content)
    done = ran.ssdpipe("plan", ran.file, "--preset", "tiny")
    assert isinstance(done.exception, PipelineError)
    assert done.exception.exit_code == 2
    assert f"{ran.store}/format.json cannot be read" in str(done.exception)
    assert 'write {"format": 1} into the file' in str(done.exception)


def test_every_command_refuses_a_damaged_format_file(ran: Ran) -> None:
    (ran.store / "format.json").write_bytes(b"{")
    for command, done in ran.every_command():
        assert isinstance(done.exception, PipelineError), command


UNWRITTEN: list[tuple[str, Any]] = [
    *[(name, MISSING) for name in ("key", "address", "ingredients", "settings", "inputs", "attempt", "files")],
    *[(name, 7) for name in ("address", "variant", "tags", "ingredients", "inputs", "provenance", "files")],
    ("ingredients", {"version": 1}),
    ("inputs", {"data": {"address": "x"}}),
    ("files", ["one"]),
    ("files", [{"path": "a", "size": -1, "sha256": ""}]),
    ("provenance", {"machine": {"gpus": 3}}),
    ("provenance", {"resources": {"gpus": "many"}}),
    ("settings", nested(100)),
    ("settings", nested(900)),
    ("finished", 1e300),
    ("finished", "today"),
    ("seconds", -1),
    *[("attempt", name) for name in ("", "..", "../../elsewhere", "/etc", "a/b")],
    ("key", "../x"),
    ("key", "\ud800"),
    ("ingredients", {"stage": "x", "code": {"\ud800": 3}}),
    *[("files", [{"path": path, "size": 0, "sha256": ""}]) for path in ("../x", "/etc/passwd", "a/../../x", "")],
]


def test_manifests_that_no_commit_has_written_are_ignored_by_every_command(ran: Ran) -> None:
    written = json.loads(ran.path("third").read_text())
    for number, (field, value) in enumerate(UNWRITTEN):
        content = {**written, "key": f"{number:032x}", "finished": 9e9, field: value}
        kept = {name: item for name, item in content.items() if item is not MISSING}
        (ran.store / f"keys/{number:032x}.json").write_text(json.dumps(kept))
    assert [manifest.address for manifest in Store.open(str(ran.store)).manifests()] == ["third", "table/thirds"]
    assert_sentences(ran)


def test_a_manifest_under_another_name_than_its_key_is_ignored(ran: Ran) -> None:
    file = ran.path("third")
    file.rename(file.with_name("0" * 32 + ".json"))
    assert "no result of a stage 'third'" in str(ran.ssdpipe("show", "third").exception)


@pytest.mark.parametrize("attempt", ["../../precious", "/precious"])
def test_nothing_outside_the_store_is_deleted_or_read(ran: Ran, attempt: str) -> None:
    (ran.store.parent / "precious").mkdir()
    kept = ran.store.parent / "precious/file"
    kept.write_text("mine")
    ran.change(
        "third", lambda written: written.update(attempt=attempt, files=[{"path": "file", "size": 9, "sha256": ""}])
    )
    assert ran.ssdpipe("store", "verify", "--discard").exit_code == 0
    assert ran.ssdpipe("gc").exit_code == 0
    assert kept.read_text() == "mine"


@pytest.mark.parametrize("name", ["../../secret", "/etc/hostname"])
def test_an_input_s_key_leads_to_no_file_outside_the_store(ran: Ran, name: str) -> None:
    """`compare` follows the keys of inputs for results of an earlier scheme."""
    (ran.store.parent / "secret.json").write_text(ran.path("third").read_text())
    ran.change("table/thirds", lambda written: written["inputs"].update(x={"address": "a", "key": name, "digest": "d"}))
    assert Store.open(str(ran.store)).find(name) is None
    assert_sentences(ran)


DATA: tuple[Any, ...] = (
    31,
    {"process": {"host": "h", "pid": 1}},
    {"process": 3},
    {"process": {"host": "h", "pid": -1, "started": 1}},
    {"argv": 3},
    {"request": 5},
    {"request": nested(500)},
    {"attempt": "x", "done": "x", "seconds": []},
)
LINES: tuple[Any, ...] = (
    *(
        {"time": 2e9, "kind": kind, "data": data}
        for kind in ("run_started", "progress", "run_finished")
        for data in DATA
    ),
    {"kind": "run_started"},
    {"time": "now", "kind": "run_started"},
    {"time": 1e300, "kind": "run_finished"},
    {"time": 2e9, "kind": "run_finished", "data": {}},
    4,
    [],
)


def test_events_that_no_run_has_written_are_skipped_by_every_command(ran: Ran) -> None:
    whole = b"".join(json.dumps(line).encode() + b"\n" for line in LINES) + b"\xff\n{\n"
    for run in (RUN, "29991231-235959-999"):
        (ran.store / "runs" / run).mkdir(exist_ok=True)
        with open(ran.store / "runs" / run / "events.jsonl", "ab") as events:
            events.write(whole)
    assert_sentences(ran)


@pytest.mark.parametrize(
    "request_", [{"command": {}}, {"command": "run", "experiment": []}, {"command": "run", "gpus": "x"}]
)
def test_a_request_that_no_command_has_recorded_is_refused(ran: Ran, request_: Any) -> None:
    (ran.store / "runs/29991231-235959-999").mkdir()
    event = {"time": 2e9, "kind": "run_started", "data": {"request": request_}}
    (ran.store / "runs/29991231-235959-999/events.jsonl").write_text(json.dumps(event) + "\n")
    assert isinstance(ran.ssdpipe("compare").exception, PipelineError)
    assert_sentences(ran)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"host": 78, "pid": false, "started": "1"}', b"[" * 9999])
def test_a_lease_that_no_driver_has_written_is_a_leftover(ran: Ran, content: bytes) -> None:
    (ran.store / "leases/dead.json").write_bytes(content)
    assert "leases/dead.json" in ran.ssdpipe("gc", "--dry-run").stdout


@pytest.mark.parametrize(
    ("summary", "table"),
    [
        (b"", b""),
        (b"[]", b"[]"),
        (b"[" * 9999, b'{"cells": [{}]}'),
        (b'{"third": ' + b"9" * 400 + b"}", b'{"cells": 3}'),
    ],
)
def test_files_of_a_result_that_no_stage_has_written_cost_a_sentence(ran: Ran, summary: bytes, table: bytes) -> None:
    ran.overwrite("third", "summary.json", summary)
    ran.overwrite("third", "shards.json", b'{"images": "many"}')
    ran.overwrite("third", "metrics.jsonl", b'{"step": 1}\n[]\n{"step": "1", "time": 1, "values": {}}\n' + b"[" * 9999)
    ran.overwrite("table/thirds", "table.json", table)
    assert_sentences(ran)


def test_a_damaged_summary_is_named_with_the_remedy(ran: Ran) -> None:
    ran.overwrite("third", "summary.json", b"{")
    done = ran.ssdpipe("show", "third")
    assert isinstance(done.exception, PipelineError)
    assert "/summary.json cannot be read: " in str(done.exception)
    assert "`ssdpipe store verify --discard`" in str(done.exception)
