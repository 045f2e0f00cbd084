"""Copies of shards on the local disk: bounded, shared, and compared with their checksum."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

import pytest

from pipeline.folder import Folder
from ssd_core.data.shard_cache import Copy, ShardCache
from ssd_core.data.shards import MANIFEST, ShardSet
from tests.s3_server import S3Server
from tests.ssd_core.data.test_shards import assert_same, row, write_shards

SHARDS = {hashlib.sha256(content).hexdigest(): content for content in (bytes([number]) * 100 for number in range(4))}


class Source:
    """Shards elsewhere, which count how often each is read."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def copy(self, cache: ShardCache, sha256: str) -> Copy | None:
        def source() -> io.BytesIO:
            self.read.append(sha256)
            return io.BytesIO(SHARDS[sha256])

        return cache.copy_of(sha256, 100, source)


def copies(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.endswith(".lock")}


def test_the_copy_that_was_unused_longest_makes_room(tmp_path: Path) -> None:
    cache, source = ShardCache(folder=tmp_path, limit=250), Source()
    first, second, third, _ = SHARDS
    for name in (first, second, first, third, first):
        copy = source.copy(cache, name)
        assert copy.path.read_bytes() == SHARDS[name]
        copy.close()
    assert source.read == [first, second, third]
    assert copies(tmp_path) == {first, third}


def test_a_copy_in_use_is_kept_and_what_does_not_fit_is_read_where_it_lies(tmp_path: Path) -> None:
    cache, source = ShardCache(folder=tmp_path, limit=250), Source()
    first, second, third, _ = SHARDS
    held = [source.copy(cache, first), source.copy(cache, second)]
    assert source.copy(cache, third) is None
    assert copies(tmp_path) == {first, second}
    held[0].close()
    source.copy(cache, third).close()
    assert copies(tmp_path) == {second, third}
    held[1].close()


def test_a_damaged_copy_is_replaced_and_a_damaged_source_is_not_copied(tmp_path: Path) -> None:
    cache, source = ShardCache(folder=tmp_path, limit=250), Source()
    first, *_ = SHARDS
    source.copy(cache, first).close()
    (tmp_path / first).write_bytes(b"x" * 100)
    source.copy(cache, first).close()
    assert (tmp_path / first).read_bytes() == SHARDS[first]
    assert cache.copy_of("0" * 64, 100, lambda: io.BytesIO(b"another")) is None
    assert copies(tmp_path) == {first}


def test_what_a_killed_process_left_makes_room(tmp_path: Path) -> None:
    cache, source = ShardCache(folder=tmp_path, limit=150), Source()
    (tmp_path / "killed.part").write_bytes(b"x" * 100)
    os.utime(tmp_path / "killed.part", (0, 0))
    source.copy(cache, next(iter(SHARDS))).close()
    assert "killed.part" not in copies(tmp_path)


@pytest.mark.parametrize("given", ["64GB", "-1", "nan", "inf", "a"])
def test_a_size_of_the_cache_that_is_none_is_refused(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSDPIPE_CACHE_GB", given)
    with pytest.raises(ValueError, match=f"SSDPIPE_CACHE_GB={given} is no size: give the GB"):
        ShardCache.of_this_host()


def test_the_size_of_the_cache_is_given_in_gb(monkeypatch: pytest.MonkeyPatch) -> None:
    for given, limit in (("2", 2 * 2**30), (" 0.5 ", 2**29), ("0", 0)):
        monkeypatch.setenv("SSDPIPE_CACHE_GB", given)
        cache = ShardCache.of_this_host()
        assert cache
        assert cache.limit == limit


def test_shards_on_s3_are_fetched_once_by_all_processes_of_a_host(
    s3: S3Server, s3_place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Folder.at(s3_place)
    for file in write_shards(tmp_path, (5, 4)).iterdir():
        if file.is_file():
            place.write_bytes(file.name, file.read_bytes())
    monkeypatch.setenv("SSDPIPE_CACHE", str(tmp_path / "cache"))
    for _ in range(2):
        shards = ShardSet(place.path, place.filesystem)
        with s3.counting() as counts:
            for number in range(9):
                assert_same(shards.row(number), row(number))
    assert counts == {"HEAD": 2}  # the second time
    assert len(copies(tmp_path / "cache/shards")) == 2

    monkeypatch.setenv("SSDPIPE_CACHE", "off")
    assert_same(ShardSet(place.path, place.filesystem).row(8), row(8))
    monkeypatch.setenv("SSDPIPE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache/shards").joinpath(hashlib.sha256((tmp_path / "0.parquet").read_bytes()).hexdigest()).unlink()
    place.write_bytes("0.parquet", (tmp_path / "0.parquet").read_bytes()[:-1])
    with pytest.raises(ValueError, match="1 of 2 shards"):
        ShardSet(place.path, place.filesystem).row(0)
    assert place.exists(MANIFEST)
