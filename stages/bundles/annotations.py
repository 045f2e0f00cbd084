"""Shards without their images: what scoring needs of them.

Tested in tests/stages/bundles/test_annotations.py.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from pipeline.folder import Folder
from ssd_core.data.shards import MANIFEST, Row, ShardSet, write_rows


def write_annotations(shards: Folder, out: Folder) -> None:
    """Write a set of shards whose images are empty; boxes, labels, flags, sizes and ids are unchanged."""
    shard_set = ShardSet(shards.path, shards.filesystem)
    rows = _without_images(shard_set)
    files = []
    for file in shard_set.manifest["files"]:
        buffer = io.BytesIO()
        write_rows(buffer, islice(rows, file["rows"]), row_group_size=max(file["row_groups"], default=1))
        out.write_bytes(file["name"], buffer.getvalue())
        files.append({**file, "sha256": hashlib.sha256(buffer.getvalue()).hexdigest()})
    out.write_json(MANIFEST, {**shard_set.manifest, "files": files})


def _without_images(shard_set: ShardSet) -> Iterator[Row]:
    return (replace(row, image=b"") for row in shard_set)
