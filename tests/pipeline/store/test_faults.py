"""A store whose disk fails at any moment of a run: one message, nothing lost, and the same command finishes."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline.driver.in_process import run_in_process
from pipeline.errors import StoreFault
from pipeline.execution.executor import InlineExecutor
from pipeline.execution.outcome import Result
from pipeline.execution.scheduler import Scheduler
from pipeline.folder import Folder
from pipeline.planning.graph import Graph
from pipeline.planning.resolver import Resolver
from pipeline.ray_backend.failures import RemoteFailure
from pipeline.stage import Context, Stage, execution
from pipeline.store.events import EventLog
from pipeline.store.faults import as_store_fault
from pipeline.store.store import Store
from tests.s3_server import BUCKET, serving

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def failing_disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that makes changes of files fail."""
    if not (compiler := shutil.which("cc")) or sys.platform != "linux":
        pytest.skip("needs a C compiler and Linux")
    library = tmp_path_factory.mktemp("library") / "failing_disk.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, HERE / "failing_disk.c", "-ldl"], check=True)
    return library


@pytest.mark.parametrize(
    "number",
    [errno.ENOSPC, pytest.param(errno.EROFS, marks=pytest.mark.slow), pytest.param(errno.EIO, marks=pytest.mark.slow)],
)
def test_a_disk_that_fails_from_any_change_of_a_file_on_ends_with_one_message_and_the_next_run_finishes(
    failing_disk: Path, tmp_path: Path, number: int
) -> None:
    done = subprocess.run(
        [sys.executable, HERE / "failing_disk.py", tmp_path, str(number), "0"],
        env=os.environ | {"LD_PRELOAD": str(failing_disk), "PYTHONPATH": str(HERE.parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["wrong"] == []
    assert result["changes"] > 100
    assert "Traceback" not in done.stderr


@dataclass(frozen=True, kw_only=True)
class Spoils(Stage):
    """Calls a shell command in the middle of its run, then goes on."""

    command: str = execution("")

    def run(self, ctx: Context) -> None:
        ctx.work.write_bytes("checkpoint", b"half")
        ctx.out.write_bytes("first", b"1")
        if self.command:
            subprocess.run(self.command, shell=True, check=True)
        ctx.out.write_bytes("second", bytes(1 << 20))


@pytest.fixture
def small_disk(tmp_path: Path):
    """A file system of 512 KiB; skipped where it may not be mounted."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", place], check=False).returncode == 0
    if not mounted:
        pytest.skip("file systems may not be mounted here")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_a_full_disk_is_reported_with_its_bytes_and_the_same_run_finishes_after_it_has_grown(small_disk: Path) -> None:
    store = small_disk / "store"
    with pytest.raises(StoreFault, match=r"cannot be written: No space left on device \(\d[\d,]* of 524,288 bytes are"):
        _run(store, Spoils())
    assert {file.name for file in store.rglob("*") if file.is_file()} >= {"format.json", "checkpoint", "events.jsonl"}
    assert not list(store.glob("objects/*/*"))
    assert not [file for file in store.rglob("*") if ".part" in file.name or ".probe" in file.name]
    subprocess.run(["mount", "-o", "remount,size=4m", small_disk], check=True)
    assert len(run_in_process(Spoils(), str(store)).files()) == 2


def test_a_disk_that_becomes_read_only_is_reported_and_the_same_run_finishes_later(small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,size=4m", small_disk], check=True)
    store = small_disk / "store"
    with pytest.raises(StoreFault, match=r"(?s)Read-only file system .*Make the file system writable, and repeat"):
        _run(store, Spoils(command=f"mount -o remount,ro {small_disk}"))
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    assert len(run_in_process(Spoils(), str(store)).files()) == 2


def test_a_store_that_is_removed_during_a_run_is_reported_and_nothing_is_committed_in_its_place(tmp_path: Path) -> None:
    store, aside = tmp_path / "store", tmp_path / "aside"
    with pytest.raises(StoreFault, match="is gone: its folder was removed, moved or unmounted during the run"):
        _run(store, Spoils(command=f"mv {store} {aside}"))
    assert not [file for file in store.rglob("*") if file.is_file()]
    shutil.rmtree(store, ignore_errors=True)
    aside.rename(store)
    assert len(run_in_process(Spoils(), str(store)).files()) == 2


@dataclass(frozen=True, kw_only=True)
class Writes(Stage):
    """Writes two files, and between them does what a test wants."""

    name: str
    above: tuple[Stage, ...] = ()
    between: Callable[[], None] | None = execution(None)  # noqa: RUF009 - its own metadata

    def run(self, ctx: Context) -> None:
        ctx.out.write_bytes("one", self.name.encode())
        if self.between:
            self.between()
        ctx.out.write_bytes("two", self.name.encode())


def test_a_bucket_that_goes_out_of_reach_during_a_run_is_reported_and_the_same_run_finishes_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def chain(between: Callable[[], None] | None = None) -> Stage:
        return Writes(name="c", above=(Writes(name="b", above=(Writes(name="a"),), between=between),))

    with serving() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        place = f"s3://{BUCKET}/store"
        with pytest.raises(StoreFault, match=r"(?s)is out of reach: .* are kept\. Check the network"):
            _run(place, chain(server.stop))
        server.start()
        result = _run(place, chain())
        assert [outcome.state for outcome in result.outcomes.values()] == ["cached", "committed", "committed"]
        undisturbed = _run(f"s3://{BUCKET}/undisturbed", chain())
        assert _digests(result) == _digests(undisturbed)
        assert not [name for name in Folder.at(place).files() if name.endswith(".part")]


def _digests(result: Result) -> list[str]:
    return [outcome.manifest.digest for outcome in result.outcomes.values() if outcome.manifest]


def _run(store: Path | str, *stages: Stage) -> Result:
    graph, place = Graph(stages), Store.open(str(store))
    return Scheduler(
        graph, place, InlineExecutor(), Resolver(graph), run_id="run", observers=[EventLog(place.run("run"))]
    ).run()


def test_a_fault_is_found_behind_any_wrapping_and_survives_the_way_between_processes(tmp_path: Path) -> None:
    store = Folder(str(tmp_path))
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    wrapped = RuntimeError("a worker failed")
    wrapped.worker_failures = {0: ExceptionGroup("all", [full])}  # type: ignore[attr-defined]
    fault = as_store_fault(wrapped, store)
    assert fault is not None
    assert fault.exit_code == 2
    sent = RemoteFailure.of(fault).exception()
    assert isinstance(sent, StoreFault)
    assert str(sent) == str(fault)


def test_a_missing_image_of_a_data_set_is_no_fault_of_the_store(tmp_path: Path) -> None:
    assert as_store_fault(FileNotFoundError(errno.ENOENT, "absent", "1.jpg"), Folder(str(tmp_path))) is None
    assert not list(tmp_path.iterdir())
