"""Commands on a store on S3 print and do what they do on the same store on a disk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner, Result

from experiments.cli.main import app
from pipeline.folder import Folder
from pipeline.store.store import Store

if TYPE_CHECKING:
    from tests.experiments.cli.conftest import Project

EXPERIMENT = ("ablation-box-shapes", "--preset", "tiny")


@pytest.fixture
def remote(project: Project, s3_place: str) -> Store:
    """The project's store, copied to S3."""
    local, store = Folder.at(str(project.store)), Store.open(s3_place)
    for name in local.files():
        store.folder.write_bytes(name, local.read_bytes(name))
    return store


def ssdpipe(store: Store, *arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, env={"SSDPIPE_STORE": store.folder.uri})


def lines(done: Result, store: Store) -> list[str]:
    """What a command printed, without its store and without empty folders, which S3 has none of."""
    shown = done.stdout.replace(store.folder.uri, "STORE").splitlines()
    return [line for line in shown if not line.endswith(" 0 bytes")]


def files(store: Store) -> list[str]:
    return [name for name in store.folder.files() if name != "leases/.guard"]


@pytest.mark.parametrize(
    "command", ["plan", "why", "show", "compare", "report", "du", "verify", "gc --dry-run", "gc"], ids=str
)
def test_a_command_prints_what_it_prints_on_a_disk(project: Project, remote: Store, command: str) -> None:
    local = Store.open(str(project.store))
    shards = local.manifests()[0].address
    arguments = {
        "plan": ("plan", *EXPERIMENT),
        "why": ("why", shards),
        "show": ("show", shards),
        "compare": ("compare", *EXPERIMENT),
        "report": ("report", *EXPERIMENT),
        "verify": ("store", "verify"),
    }.get(command, tuple(command.split()))
    for store in (local, remote):
        store.attempt("b" * 64, "1-killed").write_bytes("half", b"x" * 100)
    on_disk, on_s3 = (ssdpipe(store, *arguments) for store in (local, remote))
    assert on_s3.exit_code == on_disk.exit_code == 0, on_s3.output
    assert lines(on_s3, remote) == lines(on_disk, local)
    assert files(remote) == files(local)


def test_the_record_of_a_store_on_s3_is_in_the_cache_folder_wherever_a_command_is_typed(
    project: Project, remote: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.mlflow_tracking.client import home

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("SSDPIPE_CACHE", str(tmp_path / "cache"))
    places = set()
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        places.add(home(Folder.at(remote.folder.uri)))
        places.add(home(Folder.at(f"{remote.folder.uri}?region=us-east-1")))
    assert len(places) == 1
    assert places.pop().parent == tmp_path / "cache" / "mlflow"
    done = ssdpipe(remote, "ui")
    assert f"nothing is recorded in {tmp_path / 'cache' / 'mlflow'}" in str(done.exception)
