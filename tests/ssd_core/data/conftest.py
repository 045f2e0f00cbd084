"""Small shards of drawn images."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from ssd_core.data.shards import MANIFEST, Row, ShardSet, build_manifest, write_rows

IMAGES = 11


def drawn_row(number: int) -> Row:
    """An image of noise with its own size; number % 3 objects: the second is difficult, image 8's first is a crowd."""
    width, height = 60 + number, 50 - number
    noise = np.random.default_rng(number).integers(0, 256, (height, width, 3), dtype=np.uint8)
    count = number % 3
    boxes = np.array([[1, 1, width, height], [10, 20, 40, 30]], np.float32)[:count]
    return Row(
        image_id=f"image{number}",
        source="drawn",
        image=cv2.imencode(".png", noise)[1].tobytes(),
        width=width,
        height=height,
        boxes_xyxy=boxes,
        labels=np.array([number, 19], np.int32)[:count],
        difficult=np.array([False, True])[:count],
        crowd=np.array([number == 8, False])[:count],
        area=np.zeros(count, np.float32),
        annotation_ids=np.arange(count),
    )


def write_shards(folder: Path, rows: list[Row]) -> ShardSet:
    path = folder / "0.parquet"
    groups = write_rows(path, rows, row_group_size=3)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    files = [{"name": path.name, "rows": len(rows), "row_groups": groups, "sha256": digest}]
    (folder / MANIFEST).write_text(json.dumps(build_manifest(("thing",), files, {})))
    return ShardSet(str(folder))


@pytest.fixture
def drawn() -> Callable[[int], Row]:
    return drawn_row


@pytest.fixture
def write() -> Callable[[Path, list[Row]], ShardSet]:
    return write_shards


@pytest.fixture
def shards(tmp_path: Path) -> ShardSet:
    return write_shards(tmp_path, [drawn_row(number) for number in range(IMAGES)])
