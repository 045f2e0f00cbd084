"""The commit protocol: whichever process dies, a reader sees the old state or the new one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.errors import PipelineError
from pipeline.folder import Folder
from pipeline.keys.fingerprint import Ingredients
from pipeline.store.manifest import Manifest, parse_manifest
from pipeline.store.store import Store, log_name


@pytest.fixture
def store(tmp_path) -> Store:
    opened = Store.open(str(tmp_path / "store"))
    opened.prepare()
    return opened


def draft(attempt: str, seed: int = 0) -> Manifest:
    ingredients = Ingredients(stage="test.Stage", config={"seed": seed})
    return Manifest(
        key=ingredients.key,
        address="stage",
        variant="",
        tags={"seed": "0"},
        ingredients=ingredients,
        settings={},
        inputs={"data": {"address": "shard", "key": "1", "digest": "2"}},
        attempt=attempt,
    )


def write(store: Store, manifest: Manifest, content: bytes = b"result", name: str = "deep/result.txt") -> None:
    store.output(manifest).write_bytes(name, content)


def test_a_manifest_without_a_key_scheme_is_of_the_first(store):
    write(store, draft("a"))
    committed = store.commit(draft("a"))
    path = Path(store.folder.path, f"keys/{committed.key}.json")
    content = json.loads(path.read_text(encoding="utf-8"))
    del content["ingredients"]["schema"]
    path.write_text(json.dumps(content), encoding="utf-8")
    found = store.find(committed.key)
    assert found.ingredients.is_of_earlier_scheme
    assert not committed.ingredients.is_of_earlier_scheme
    assert found.ingredients == replace(committed.ingredients, schema=1)


def test_opening_a_store_that_does_not_exist_creates_nothing(tmp_path):
    store = Store.open(str(tmp_path / "none"))
    assert store.find("00") is None
    assert store.manifests() == []
    assert list(tmp_path.iterdir()) == []


def test_a_store_of_a_newer_format_is_refused_with_both_numbers(tmp_path):
    (tmp_path / "format.json").write_text('{"format": 7}')
    with pytest.raises(
        PipelineError, match=r"has format 7, but this version reads formats up to 1.*SSDPIPE_STORE"
    ) as no:
        Store.open(str(tmp_path))
    assert no.value.exit_code == 2


def test_a_committed_result_is_found_with_all_it_was_made_from(store):
    write(store, draft("a"))
    committed = store.commit(draft("a"))
    found = store.find(committed.key)
    assert found == committed
    assert found.ingredients.key == found.key
    # sha256sum of the six letters
    assert [(file.path, file.size, file.sha256[:8]) for file in found.files] == [("deep/result.txt", 6, "f6a214f7")]
    assert store.output(found).read_bytes("deep/result.txt") == b"result"


class Died(BaseException):
    """Stands for kill -9: nothing after it runs."""


@pytest.mark.parametrize("point", ["hash", "write", "move", "clean"])
def test_a_process_that_dies_at_any_point_of_a_commit_leaves_the_old_state_or_the_new(store, monkeypatch, point):
    def die(*args, **kwargs):
        raise Died

    def die_in_the_middle(folder, name, content):
        with folder.open_output(name) as stream:
            stream.write(content[: len(content) // 2])
        raise Died

    def die_before_the_move(folder, name, content):
        folder.write_bytes(f"{name}.part", content)
        raise Died

    write(store, draft("a"))
    store.work(draft("a").key).write_bytes("checkpoint", b"")
    with monkeypatch.context() as patch:
        if point == "hash":
            patch.setattr("pipeline.store.store.checksums", die)
        elif point == "write":
            patch.setattr(Folder, "write_bytes", die_in_the_middle)
        elif point == "move":
            patch.setattr(Folder, "replace", die_before_the_move)
        else:
            patch.setattr(Folder, "delete", die)
        with pytest.raises(Died):
            store.commit(draft("a"))
    found = store.find(draft("a").key)
    assert (found is not None) == (point == "clean")
    write(store, draft("b"), b"again")
    again = store.commit(draft("b"))
    assert store.find(again.key) == again
    assert store.output(again).read_bytes("deep/result.txt") == (b"result" if point == "clean" else b"again")
    assert not store.work(again.key).exists()
    assert len(store.manifests()) == 1


def test_of_two_racing_attempts_the_first_to_commit_stays(store):
    write(store, draft("a"), b"one")
    write(store, draft("b"), b"two")
    first = store.commit(draft("a"))
    assert store.commit(draft("b")) == first
    assert store.output(first).read_bytes("deep/result.txt") == b"one"
    assert not store.attempt(first.key, "b").exists()


@pytest.mark.parametrize("content", [b"", b'{"key": "1', b"[]", b"{}"])
def test_a_broken_manifest_is_ignored(store, content):
    store.folder.write_bytes("keys/00.json", content)
    assert store.find("00") is None
    assert store.manifests() == []


def test_a_manifest_whose_files_are_gone_does_not_count(store):
    write(store, draft("a"))
    committed = store.commit(draft("a"))
    store.output(committed).delete()
    assert store.find(committed.key) is None


def test_a_result_without_files_counts(store):
    committed = store.commit(draft("a"))
    assert store.find(committed.key) == committed


def test_the_output_digest_sees_names_and_bytes_but_no_times(store):
    def digest(seed: int, files: dict[str, bytes]) -> str:
        for name, content in files.items():
            write(store, draft("a", seed), content, name)
        return store.commit(draft("a", seed)).digest

    one = digest(1, {"a": b"1", "b": b"2"})
    assert digest(2, {"b": b"2", "a": b"1", "metrics.jsonl": b"x", "deep/timing.json": b"y"}) == one
    assert digest(3, {"a": b"2", "b": b"1"}) != one
    assert digest(4, {"a": b"1", "c": b"2"}) != one


def test_manifests_are_plain_json_that_people_can_read(store):
    committed = store.commit(draft("a"))
    content = Path(store.folder.path, f"keys/{committed.key}.json").read_text(encoding="utf-8")
    assert json.loads(content)["inputs"]["data"]["address"] == "shard"
    assert parse_manifest(content.encode()) == committed


def test_log_names_hold_no_folders():
    assert log_name("train/conv7-only/seed0") == "train__conv7-only__seed0.log"


def test_a_store_named_by_a_relative_path_is_the_same_wherever_a_worker_stands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = Store.open("./results")
    monkeypatch.chdir("/")
    assert (store.folder / "work").path == str(tmp_path / "results/work")


def test_on_s3_the_first_manifest_stays_and_the_other_driver_adopts_it(s3_place, monkeypatch):
    store = Store.open(s3_place)
    for attempt in ("a", "b"):
        write(store, draft(attempt), attempt.encode())
    first = store.commit(draft("a"))
    find, answers = Store.find, iter([None])
    monkeypatch.setattr(Store, "find", lambda self, key: next(answers, find(self, key)))  # before the first commit
    assert store.commit(draft("b")) == first
    assert (store.folder / "objects").files() == [f"{first.key}/a/deep/result.txt"]


def test_on_s3_a_manifest_whose_files_are_gone_is_replaced(s3_place):
    store = Store.open(s3_place)
    write(store, draft("a"))
    store.output(store.commit(draft("a"))).delete()
    write(store, draft("b"))
    assert store.commit(draft("b")).attempt == "b"
    assert store.find(draft("b").key).attempt == "b"


def test_a_folder_that_another_driver_deletes_at_the_same_moment_is_no_error(store, monkeypatch):
    work = store.work("k")
    work.write_bytes("checkpoint", b"")
    delete = Folder._delete

    def late(folder, name):
        delete(folder, name)
        folder.filesystem.delete_dir(folder.path)  # what a second driver finds

    monkeypatch.setattr(Folder, "_delete", late)
    work.delete()
    assert not work.exists()
