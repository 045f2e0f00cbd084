"""Shards that are written and read back, and errors."""

from __future__ import annotations

import hashlib
import json
import pickle
from dataclasses import fields
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.parquet as pq
import pytest
from pyarrow import fs

from ssd_core.data.shards import MANIFEST, SCHEMA, SCHEMA_VERSION, Row, ShardSet, build_manifest, write_rows

if TYPE_CHECKING:
    from pathlib import Path


def row(number: int) -> Row:
    """Image `number` with number % 4 objects."""
    count = number % 4
    return Row(
        image_id=f"{number:06d}",
        source="drawn",
        image=bytes([number]) * (10 + number),
        width=100 + number,
        height=50 + number,
        boxes_xyxy=np.arange(4 * count, dtype=np.float32).reshape(count, 4) + number,
        labels=np.arange(count, dtype=np.int32),
        difficult=np.arange(count) == 1,
        crowd=np.arange(count) == 2,
        area=np.arange(count, dtype=np.float32) / 2,
        annotation_ids=np.arange(count, dtype=np.int64) + 2**40,
    )


def write_shards(folder: Path, counts: tuple[int, ...], row_group_size: int = 3) -> Path:
    """Write one file for each count, with consecutive rows."""
    files, start = [], 0
    for part, count in enumerate(counts):
        path = folder / f"{part}.parquet"
        groups = write_rows(path, map(row, range(start, start + count)), row_group_size=row_group_size)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        files.append({"name": path.name, "rows": count, "row_groups": groups, "sha256": digest})
        start += count
    (folder / MANIFEST).write_text(
        json.dumps(
            build_manifest(("a", "b", "c"), files, {"a": {"objects": 1}, "b": {"objects": 2}, "c": {"objects": 3}})
        )
    )
    return folder


def assert_same(found: Row, expected: Row) -> None:
    for field in fields(Row):
        ours, wanted = getattr(found, field.name), getattr(expected, field.name)
        np.testing.assert_array_equal(ours, wanted, err_msg=field.name)
        assert getattr(ours, "dtype", None) == getattr(wanted, "dtype", None), field.name


def test_every_row_reads_back_as_it_was_written(tmp_path: Path):
    shards = ShardSet(str(write_shards(tmp_path, (7, 3, 1))))
    assert len(shards) == 11
    assert shards.group_sizes == (3, 3, 1, 3, 1)
    for number in reversed(range(11)):
        assert_same(shards.row(number), row(number))
    assert [found.image_id for found in shards] == [f"{number:06d}" for number in range(11)]


def test_rows_stay_correct_when_row_groups_leave_the_cache(tmp_path: Path):
    shards = ShardSet(str(write_shards(tmp_path, (7, 3, 1))), cached_groups=1)
    for number in (0, 10, 0, 5, 9, 4, 10):
        assert_same(shards.row(number), row(number))


def test_another_file_system_gives_the_same_rows(tmp_path: Path):
    write_shards(tmp_path, (4, 4))
    bucket = fs.SubTreeFileSystem(str(tmp_path.parent), fs.LocalFileSystem())
    shards = ShardSet(tmp_path.name, bucket)
    shards.verify()
    assert_same(shards.row(6), row(6))


def test_a_pickled_shard_set_holds_no_images(tmp_path: Path):
    shards = ShardSet(str(write_shards(tmp_path, (200,), row_group_size=50)))
    before = len(pickle.dumps(shards))
    for _ in shards:
        pass
    copied = pickle.loads(pickle.dumps(shards))
    assert len(pickle.dumps(shards)) == before
    assert_same(copied.row(3), row(3))


def test_equal_rows_give_equal_bytes_under_the_published_schema(tmp_path: Path):
    for name in ("one", "two"):
        write_rows(tmp_path / name, map(row, range(9)), row_group_size=4)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert pq.read_schema(tmp_path / "one").equals(SCHEMA)


def test_a_file_holds_the_encoded_image_unchanged_and_uncompressed(tmp_path: Path):
    write_rows(tmp_path / "one", [row(77)])
    assert row(77).image in (tmp_path / "one").read_bytes()


def test_the_manifest_adds_up_its_files_and_classes(tmp_path: Path):
    manifest = ShardSet(str(write_shards(tmp_path, (7, 3)))).manifest
    assert (manifest["schema_version"], manifest["images"], manifest["boxes"]) == (SCHEMA_VERSION, 10, 6)


def test_a_changed_byte_is_detected_and_its_file_named(tmp_path: Path):
    shards = ShardSet(str(write_shards(tmp_path, (3, 3, 3))))
    shards.verify()
    content = bytearray((tmp_path / "1.parquet").read_bytes())
    content[20] ^= 1
    (tmp_path / "1.parquet").write_bytes(content)
    with pytest.raises(ValueError, match=r"1 of 3 shards.*1\.parquet"):
        shards.verify()


def test_a_row_of_a_file_that_differs_from_its_checksum_is_refused(tmp_path):
    write_shards(tmp_path, (3, 3))
    content = bytearray((tmp_path / "1.parquet").read_bytes())
    content[len(content) // 3] ^= 1
    (tmp_path / "1.parquet").write_bytes(content)
    shards = ShardSet(str(tmp_path))
    assert shards.row(0).width > 0
    with pytest.raises(ValueError, match=r"1 of 2 shards in .* differ from their checksum: 1.parquet"):
        shards.row(3)


def test_a_newer_format_is_refused_with_both_versions(tmp_path: Path):
    manifest = build_manifest(("a",), [], {}) | {"schema_version": SCHEMA_VERSION + 6}
    (tmp_path / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(ValueError, match=f"format {SCHEMA_VERSION + 6}.*up to {SCHEMA_VERSION}"):
        ShardSet(str(tmp_path))


def test_a_folder_without_shards_is_refused_by_name(tmp_path: Path):
    with pytest.raises(ValueError, match="holds no shards"):
        ShardSet(str(tmp_path))


@pytest.mark.parametrize("index", [-1, 4])
def test_a_row_outside_the_set_is_an_index_error(tmp_path: Path, index: int):
    with pytest.raises(IndexError, match=f"row {index} of 4"):
        ShardSet(str(write_shards(tmp_path, (4,)))).row(index)
