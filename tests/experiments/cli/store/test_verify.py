"""Damage in a store is found, named and healed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.store.store import Manifest, Store

if TYPE_CHECKING:
    from tests.experiments.cli.conftest import Project


def flip_a_byte(store: Store, manifest: Manifest, suffix: str) -> str:
    name = next(file.path for file in manifest.files if file.path.endswith(suffix))
    content = bytearray(store.output(manifest).read_bytes(name))
    content[len(content) // 2] ^= 1
    store.output(manifest).write_bytes(name, bytes(content))
    return name


def test_a_whole_store_is_verified(project: Project) -> None:
    done = project.ssdpipe("store", "verify")
    assert (done.exit_code, done.stdout) == (0, "2 results, 10 files: all are whole\n")


def test_one_flipped_byte_is_named_and_the_result_is_discarded_on_request(project: Project) -> None:
    store = Store.open(str(project.store))
    manifest, _ = store.manifests()
    name = flip_a_byte(store, manifest, ".parquet")
    found = project.ssdpipe("store", "verify")
    assert found.exit_code == 2
    assert found.stdout.splitlines()[0] == f"{manifest.address} ({manifest.key[:12]}): {name}"
    assert store.find(manifest.key)
    assert project.ssdpipe("store", "verify", "--discard").exit_code == 0
    assert store.find(manifest.key) is None
    assert project.ssdpipe("store", "verify").stdout == "1 results, 5 files: all are whole\n"
