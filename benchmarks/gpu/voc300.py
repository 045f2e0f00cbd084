"""VOC2007 as small shards that travel to another machine: images at most 300 pixels wide or high, as WebP.

    python benchmarks/gpu/voc300.py --data SSDPIPE_TEST_DATA --out FOLDER

FOLDER gets `train` and `test`, each a shard set in files of at most 40 MiB. At quality 65 an image takes 8.3 kB at a
PSNR of 34.4 dB against the resized original; JPEG needs 11.9 kB for that (150 random images). Decoding takes 0.5 ms.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from learning_trials import FULL

from ssd_core.data.loading import decode_row
from ssd_core.data.shards import MANIFEST, Row, ShardSet, build_manifest, write_rows

SIDE = 300
"""Longer side of an image in pixels: the input size of the network."""

QUALITY = 65
MOST_BYTES = 39 << 20
"""Bytes of images in one file; 1 MiB below the limit leaves room for the annotations."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    data = os.environ.get("SSDPIPE_TEST_DATA")
    parser.add_argument("--data", type=Path, default=data, required=data is None, help="holds voc2007/VOC2007")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        train, test = FULL.shards(options.data, Path(work))
        for name, shards in (("train", train), ("test", test)):
            shrink(shards, options.out / name)
            sizes = [file.stat().st_size / 2**20 for file in sorted((options.out / name).iterdir())]
            print(f"{name}: {len(shards)} images, {sum(sizes):.1f} MiB, largest file {max(sizes):.1f} MiB")


def shrink(shards: ShardSet, folder: Path) -> None:
    """Write the rows of `shards` with small images to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for number, rows in enumerate(pieces(map(small_row, shards))):
        path = folder / f"images-{number:05}.parquet"
        groups = write_rows(path, rows)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        files.append({"name": path.name, "rows": len(rows), "row_groups": groups, "sha256": digest})
    manifest = build_manifest(shards.classes, files, shards.manifest["per_class"])
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")


def pieces(rows: Iterable[Row], most_bytes: int = MOST_BYTES) -> Iterator[list[Row]]:
    """Split rows in order, so that the images of each piece take at most `most_bytes`."""
    piece, size = list[Row](), 0
    for row in rows:
        if piece and size + len(row.image) > most_bytes:
            yield piece
            piece, size = [], 0
        piece.append(row)
        size += len(row.image)
    if piece:
        yield piece


def small_row(row: Row) -> Row:
    """Return the row with its image resized to a longer side of `SIDE`, never enlarged, and its boxes with it."""
    factor = min(1.0, SIDE / max(row.width, row.height))
    width, height = round(row.width * factor), round(row.height * factor)
    resized = cv2.resize(decode_row(row), (width, height), interpolation=cv2.INTER_AREA)
    bgr = cv2.cvtColor(resized, cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(".webp", bgr, [cv2.IMWRITE_WEBP_QUALITY, QUALITY])
    scale = np.array([width / row.width, height / row.height] * 2, np.float32)
    return replace(
        row,
        image=encoded.tobytes(),
        width=width,
        height=height,
        boxes_xyxy=row.boxes_xyxy * scale,
        area=row.area * scale[0] * scale[1],
    )


if __name__ == "__main__":
    main()
