"""A group that shares a store may write to all of it: umask and the group of its folder hold for files and folders."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.errors import StageFailed
from pipeline.mlflow_tracking.client import open_client
from pipeline.store.store import Store
from tests.pipeline.execution.test_run_stage import Work, run_graph


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty store of a group, used with umask 0002."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    folder = tmp_path / "store"
    folder.mkdir()
    os.chown(folder, -1, 1 if os.geteuid() == 0 else max(os.getgroups()))
    folder.chmod(0o2775)
    before = os.umask(0o002)
    yield folder
    os.umask(before)


def test_everything_in_a_shared_store_is_writable_by_its_group(shared: Path) -> None:
    store = Store.open(str(shared))
    store.prepare()
    for deed in ("record", "say"):
        assert run_graph(store, Work(deed=deed)).status == "finished"
    with pytest.raises(StageFailed):
        run_graph(store, Work(deed="record_and_fail")).raise_for_failures()
    open_client(store.folder).create_experiment("mine")
    paths = sorted(shared.rglob("*"))
    folders = {path.relative_to(shared).parts[0] for path in paths}
    assert {"format.json", "keys", "leases", "mlflow.db", "objects", "runs", "work"} - folders <= {"leases"}
    group = shared.stat().st_gid
    wrong = {
        str(path): oct(path.stat().st_mode)
        for path in paths
        if path.stat().st_gid != group or path.stat().st_mode & 0o7777 != (0o2775 if path.is_dir() else 0o664)
    }
    assert wrong == {}
