"""Damage in a store is found, named and healed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.store.store import Manifest, Store

if TYPE_CHECKING:
    from pathlib import Path

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


def test_a_store_without_results_is_named_since_its_place_may_be_misspelled(project: Project, tmp_path: Path) -> None:
    done = project.ssdpipe("store", "verify", "--store", str(tmp_path / "absent"))
    assert (done.exit_code, done.stdout) == (0, f"the store {tmp_path}/absent holds no result\n")


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


def test_a_manifest_that_cannot_be_read_is_listed_with_the_reason_and_its_result_kept_until_it_is_discarded(
    project: Project,
) -> None:
    store = Store.open(str(project.store))
    first, second = store.manifests()
    (project.store / f"keys/{first.key}.json").write_bytes(b"{")
    (project.store / "keys/other.json").write_bytes((project.store / f"keys/{second.key}.json").read_bytes())
    listed = project.ssdpipe("store", "verify")
    assert listed.exit_code == 2
    assert listed.stdout.startswith(f"keys/{first.key}.json cannot be read: it is not valid JSON")
    assert "keys/other.json cannot be read: it is the manifest of another key\n" in listed.stdout
    assert "1 results, 5 files: 2 damaged, --discard discards them" in listed.stdout
    assert project.ssdpipe("gc").stdout == "0 bytes freed\n"
    assert store.output(first).exists()
    assert project.ssdpipe("store", "verify", "--discard").exit_code == 0
    assert project.ssdpipe("store", "verify").stdout == "1 results, 5 files: all are whole\n"
    project.ssdpipe("gc")
    assert not store.output(first).exists()


def test_a_store_that_everybody_may_write_to_is_warned_of_once_a_command(project: Project) -> None:
    assert project.ssdpipe("store", "verify").stderr == ""
    project.store.chmod(0o777)
    for command in (("store", "verify"), ("du",), ("compare", "ablation-layers", "--preset", "tiny")):
        printed = project.ssdpipe(*command).stderr
        assert printed.count("every user of this machine may write to the store") == 1
        assert f"chmod o-w {project.store}\n" in printed
