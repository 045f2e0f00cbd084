"""Cost of comparing a training's input with its checksums, against the cost of the training itself.

A result of 512 MB is written, with its files in the page cache. Measured is the CPU time of its first verification in a
process, and of its second one, which finds the checksums remembered. The share is that of the paper's training, 120,000
batches of 32 images of VOC2007 and VOC2012 trainval: each process verifies each shard once.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

from gpu.record import Options, Record

from pipeline.folder import Folder
from pipeline.store import integrity
from pipeline.store.store import checksums

TRAINVAL_BYTES = 16_551 * 113_000
"""Shards of VOC2007 and VOC2012 trainval: images, and mean bytes of each."""

TRAINED_IMAGES = 120_000 * 32
H100_IMAGES_PER_SECOND = 1_211
"""SSD300 in bf16 at batch 32 on one H100, by benchmarks/on_gpu.py: the fastest training, so the largest share."""

SHARD_BYTES = 32 << 20


def measure(options: Options) -> dict[str, Any]:
    """Measure the best of five."""
    record, shards = Record("verification", options), 1 if options.small else 16
    with tempfile.TemporaryDirectory() as place:
        folder = Folder.at(place)
        for number in range(shards):
            Path(place, f"images-{number:05d}.parquet").write_bytes(os.urandom(SHARD_BYTES))
        files = checksums(folder)
        firsts, seconds = zip(*(_verified(folder, files) for _ in range(5)), strict=True)
    size = sum(file.size for file in files)
    record.put("verification", "GB/s of one core", size / min(firsts) / 1e9)
    record.put("verification", "microseconds a file once remembered", 1e6 * min(seconds) / len(files))
    once = TRAINVAL_BYTES * min(firsts) / size
    record.put("verification", "seconds for 07+12 trainval in each process", once)
    record.put("verification", "share of a training on one H100", once * H100_IMAGES_PER_SECOND / TRAINED_IMAGES)
    return record.content


def _verified(folder: Folder, files: tuple[integrity.StoredFile, ...]) -> tuple[float, float]:
    """Seconds of a first and a second verification."""
    integrity._known.clear()
    times = []
    for _ in range(2):
        began = time.process_time()
        assert integrity.damaged(folder, files) == []
        times.append(time.process_time() - began)
    return times[0], times[1]
