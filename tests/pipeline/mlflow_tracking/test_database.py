"""The default tracker's SQLite file: created at once, locked by others, damaged before or in the middle of a run."""

from __future__ import annotations

import os
import re
import sqlite3
import threading
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline.errors import PipelineError
from pipeline.mlflow_tracking import database, observer
from pipeline.mlflow_tracking.client import DATABASE
from pipeline.mlflow_tracking.database import create_database
from pipeline.mlflow_tracking.observer import sync
from pipeline.mlflow_tracking.remedies import remedy
from pipeline.planning.graph import Graph
from pipeline.stage import Context, Stage, execution
from pipeline.store.store import Store
from tests.pipeline.mlflow_tracking.test_observer import ABOUT, Learn, run, runs

REMEDY = rf"Move .*/{DATABASE} elsewhere: `ssdpipe sync` records the results of the store in a new one"


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An empty database with MLflow's tables, which takes two seconds."""
    return database._tables(tmp_path_factory.mktemp("tables") / DATABASE)


@pytest.fixture
def store(tmp_path: Path, tables: bytes, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr(observer, "INTERVAL_SECONDS", 0.1)
    monkeypatch.setattr(database, "_tables", lambda _: tables)
    return Store.open(str(tmp_path / "store"))


def file_of(store: Store) -> Path:
    return Path(store.folder.path) / DATABASE


@dataclass(frozen=True, kw_only=True)
class Damages(Stage):
    """Overwrites MLflow's file in the middle of a run."""

    above: Stage
    file: str = execution("")

    def run(self, ctx: Context) -> None:
        create_database(Path(self.file))
        Path(self.file).write_bytes(os.urandom(20_000))
        ctx.out.write_bytes("done", b"")


@pytest.mark.parametrize("when", ["before", "during"])
def test_a_damaged_file_is_reported_once_with_its_remedy_and_no_result_is_lost(
    store: Store, tables: bytes, caplog, tmp_path: Path, monkeypatch, when: str
) -> None:
    learnt = Learn()
    target: Stage = learnt
    if when == "before":
        file_of(store).parent.mkdir()
        file_of(store).write_bytes(os.urandom(20_000))
    else:
        target = Damages(above=learnt, file=str(file_of(store)))
    assert run(store, [target], "first").status == "finished"
    (warning,) = [each for each in caplog.records if each.name == observer.__name__]
    assert "results are safe" in warning.getMessage()
    assert re.search(REMEDY, warning.getMessage())
    with pytest.raises(PipelineError, match=rf"(?s)cannot be updated .*\n{REMEDY}"):
        sync(Graph([target]), store, ABOUT)

    (tmp_path / "other.db").write_bytes(tables)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/other.db")  # MLflow keeps the old file open
    sync(Graph([target]), store, ABOUT)
    _, (training,) = runs(store)
    assert training.info.status == "FINISHED"


def test_a_file_that_another_process_locks_for_seconds_is_waited_for(store: Store, caplog) -> None:
    file_of(store).parent.mkdir()
    create_database(file_of(store))
    with closing(sqlite3.connect(file_of(store), check_same_thread=False)) as other:
        other.execute("BEGIN EXCLUSIVE")
        threading.Timer(2.0, other.rollback).start()
        assert run(store, [Learn()], "first").status == "finished"
    assert [each for each in caplog.records if each.name == observer.__name__] == []
    assert len(runs(store)[1]) == 1


def test_a_lock_that_stays_is_named_with_its_file(store: Store) -> None:
    file_of(store).parent.mkdir()
    with (
        closing(sqlite3.connect(file_of(store))) as one,
        closing(sqlite3.connect(file_of(store), timeout=0)) as other,
    ):
        one.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError) as locked:
            other.execute("BEGIN EXCLUSIVE")
    assert (
        remedy(locked.value, store.folder) == f"Another process holds the database sqlite:///{file_of(store)}: end it"
    )


def test_the_file_appears_with_all_its_tables_and_that_of_a_faster_driver_stays(
    tables: bytes, tmp_path: Path, monkeypatch
) -> None:
    file = tmp_path / DATABASE

    def while_another_is_faster(_: Path) -> bytes:
        assert not file.exists()
        monkeypatch.setattr(database, "_tables", lambda _: tables)
        create_database(file)
        return b"of the slower"

    monkeypatch.setattr(database, "_tables", while_another_is_faster)
    create_database(file)
    assert file.read_bytes() == tables
    with closing(sqlite3.connect(file)) as read:
        assert read.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)
    assert list(tmp_path.iterdir()) == [file]
