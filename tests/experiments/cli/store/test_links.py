"""Links in a store lead nowhere: what lies behind them is neither counted, nor verified, nor deleted."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.store.store import Store

if TYPE_CHECKING:
    from tests.experiments.cli.conftest import Project


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder of the user beside the store."""
    (tmp_path / "outside/deep").mkdir(parents=True)
    for name in ("thesis.txt", "x.part", "deep/other.txt"):
        (tmp_path / "outside" / name).write_bytes(b"x" * 100_000)
    return tmp_path / "outside"


def contents(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.stat().st_size for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "place", ["objects/{key}/2-evil", "objects/evil", "work/evil", "runs/evil", "evil", "keys/evil"]
)
def test_gc_and_du_do_not_follow_a_link(project: Project, outside: Path, place: str) -> None:
    before, key = contents(outside), Store.open(str(project.store)).manifests()[0].key
    counted = project.ssdpipe("du").stdout
    link = project.store / place.format(key=key)
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(outside)
    shown = project.ssdpipe("du")
    assert shown.stdout == counted
    assert "are not followed: " in shown.stderr
    done = project.ssdpipe("gc", "--run-days", "0")
    assert (done.exit_code, done.stdout) == (0, "0 bytes freed\n")
    assert contents(outside) == before


def test_a_result_behind_a_link_is_not_verified_and_never_discarded_through_it(project: Project, outside: Path) -> None:
    store = Store.open(str(project.store))
    manifest = store.manifests()[0]
    attempt = project.store / f"objects/{manifest.key}/{manifest.attempt}"
    attempt.rename(outside / "moved")
    attempt.symlink_to(outside / "moved")
    (outside / "moved/shards.json").write_text("{}")
    before = contents(outside)
    done = project.ssdpipe("store", "verify", "--discard")
    assert done.exit_code == 2
    assert re.search(rf"not verified, objects/{manifest.key}/{manifest.attempt} is a link", done.stdout)
    assert contents(outside) == before
    assert (project.store / f"keys/{manifest.key}.json").exists()
    store.discard(manifest)
    assert contents(outside) == before
    assert not attempt.is_symlink()


def test_a_stage_that_commits_deletes_nothing_behind_a_link(project: Project, outside: Path) -> None:
    store, before = Store.open(str(project.store)), contents(outside)
    manifest = store.manifests()[0]
    (project.store / "work").mkdir(exist_ok=True)
    store.work(manifest.key).delete()
    Path(project.store / f"work/{manifest.key}").symlink_to(outside)
    store.commit(manifest)
    assert contents(outside) == before
