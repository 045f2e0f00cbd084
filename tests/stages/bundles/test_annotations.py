"""Shards without their images keep everything else."""

from __future__ import annotations

import hashlib
import io
from dataclasses import fields
from pathlib import Path

import numpy as np

from pipeline.folder import Folder
from ssd_core.data.shards import MANIFEST, Row, ShardSet, build_manifest, write_rows
from stages.bundles.annotations import write_annotations


def row(number: int) -> Row:
    objects = number % 3
    return Row(
        image_id=f"image{number}",
        source="drawn",
        image=bytes([number]),
        width=100 + number,
        height=80,
        boxes_xyxy=np.arange(4 * objects, dtype=np.float32).reshape(-1, 4) + 0.1,
        labels=np.arange(objects, dtype=np.int32),
        difficult=np.arange(objects) % 2 == 1,
        crowd=np.arange(objects) % 2 == 0,
        area=np.full(objects, 1 / 3, np.float32),
        annotation_ids=np.arange(objects, dtype=np.int64) + 10**12,
    )


def test_annotations_are_those_of_the_shards_in_the_same_files_and_groups(tmp_path: Path) -> None:
    shards, files = Folder(str(tmp_path / "shards")), []
    for name, numbers in (("images-00000.parquet", range(70)), ("images-00001.parquet", range(70, 75))):
        buffer = io.BytesIO()
        groups = write_rows(buffer, map(row, numbers))
        shards.write_bytes(name, buffer.getvalue())
        digest = hashlib.sha256(buffer.getvalue()).hexdigest()
        files.append({"name": name, "rows": len(numbers), "row_groups": groups, "sha256": digest})
    shards.write_json(MANIFEST, build_manifest(("dog", "cat"), files, {}))

    write_annotations(shards, Folder(str(tmp_path / "bare")))

    whole, bare = ShardSet(shards.path), ShardSet(str(tmp_path / "bare"))
    assert bare.group_sizes == whole.group_sizes == (32, 32, 6, 5)
    assert bare.classes == whole.classes
    for one, other in zip(whole, bare, strict=True):
        assert (one.image != b"", other.image) == (True, b"")
        for item in fields(one):
            if item.name != "image":
                assert np.array_equal(getattr(one, item.name), getattr(other, item.name)), item.name
