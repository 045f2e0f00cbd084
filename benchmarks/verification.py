"""Cost of comparing a training's input with its checksums, against the cost of the training's input itself.

    python benchmarks/verification.py [--megabytes 512] [--times 5]

Writes a result of that size into a temporary folder, and measures the CPU time of its first verification in a process,
with its files in the page cache, and of its second one, which finds the checksums remembered. The share is that of the
paper's training, 120,000 batches of 32 images of VOC2007 and VOC2012 trainval: each process verifies each shard once.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

from pipeline.folder import Folder
from pipeline.store import integrity
from pipeline.store.store import checksums

TRAINVAL_BYTES = 16_551 * 113_000
"""Shards of VOC2007 and VOC2012 trainval: images, and mean bytes of each."""

TRAINED_IMAGES = 120_000 * 32
H100_IMAGES_PER_SECOND = 1_211
"""SSD300 in bf16 at batch 32 on one H100, by benchmarks/on_gpu.py: the fastest training, so the largest share."""

SHARD_BYTES = 32 << 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=512)
    parser.add_argument("--times", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Folder.at(place)
        for number in range(arguments.megabytes * 2**20 // SHARD_BYTES):
            Path(place, f"images-{number:05d}.parquet").write_bytes(os.urandom(SHARD_BYTES))
        files = checksums(folder)
        firsts, seconds = zip(*(_verified(folder, files) for _ in range(arguments.times)), strict=True)
    size = sum(file.size for file in files)
    speed, again = size / min(firsts) / 1e9, 1e6 * min(seconds) / len(files)
    print(f"first verification: {speed:.2f} GB/s of one core; again: {again:.0f} us a file")
    once = TRAINVAL_BYTES * min(firsts) / size
    training = TRAINED_IMAGES / H100_IMAGES_PER_SECOND
    print(f"07+12 trainval: {once:.1f} s in each process, {once / training:.3%} of {training:,.0f} s on one H100")


def _verified(folder: Folder, files: tuple[integrity.StoredFile, ...]) -> tuple[float, float]:
    """Seconds of a first and a second verification."""
    integrity._known.clear()
    times = []
    for _ in range(2):
        began = time.process_time()
        assert integrity.damaged(folder, files) == []
        times.append(time.process_time() - began)
    return times[0], times[1]


if __name__ == "__main__":
    main()
