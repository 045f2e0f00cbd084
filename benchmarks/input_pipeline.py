"""Images per second from shards to augmented batches, compared with torchvision's SSD transforms on the same images.

    python benchmarks/input_pipeline.py [SHARDS] --processes 0 2

Without SHARDS it draws images about as large as VOC's, in a folder that is removed afterwards. It measures reading
(rows only, in training order and in a full permutation), then whole batches of 32 at 300 x 300. torchvision:
decode_jpeg, RandomPhotometricDistort, RandomZoomOut, RandomIoUCrop, RandomHorizontalFlip, Resize, i.e. the `ssd` preset
of its detection reference; it has one interpolation, and a crop that keeps objects by another rule.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from functools import partial

import cv2
import numpy as np
import torch
from drawn_shards import drawn_shards
from torchvision import tv_tensors
from torchvision.io import decode_jpeg
from torchvision.transforms import v2

from ssd_core.data.evaluation_stream import EvaluationBatch, evaluation_batches
from ssd_core.data.order import epoch_order
from ssd_core.data.shards import ShardSet
from ssd_core.data.training_stream import Batch, training_batches
from ssd_core.spec.augmentation import FLIP_ONLY, PAPER, STARRED
from ssd_core.spec.recipe import Recipe

BATCH = 32


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shards", nargs="?")
    parser.add_argument("--images", type=int, default=512, help="number of images to draw without SHARDS")
    parser.add_argument("--batches", type=int, default=20)
    parser.add_argument("--processes", type=int, nargs="+", default=[0])
    options = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    with ExitStack() as stack:
        if not options.shards:
            print(f"drawing {options.images} images ...", flush=True)
            place = stack.enter_context(tempfile.TemporaryDirectory())
            options.shards = drawn_shards(place, images=options.images)
        measure(options.shards, options.batches, options.processes)


def measure(path: str, batches: int, process_counts: Sequence[int]) -> None:
    shards = ShardSet(path)
    images = min(len(shards), batches * BATCH)
    print(f"{len(shards)} images in {path}; {images} measured; 1 thread per process")
    windows = epoch_order(shards.group_sizes, seed=0, epoch=0)
    permutation = np.random.default_rng(0).permutation(len(shards))
    read(path, windows)  # into the page cache
    report("read, windows of row groups", len(shards), lambda: read(path, windows))
    report("read, full permutation", len(shards), lambda: read(path, permutation))
    for processes in process_counts:
        for name, augmentation in (("paper", PAPER), ("starred", STARRED), ("flip only", FLIP_ONLY)):
            recipe = Recipe(augmentation=augmentation, batch_size=BATCH)
            loader = training_batches(shards, recipe, stop=batches + 1, loader_processes=processes)
            measure_batches(f"train, {name}, {processes} processes", loader)
        shown = evaluation_batches(
            shards, input_size=300, batch_size=BATCH, rows=range(images), loader_processes=processes
        )
        measure_batches(f"evaluate, {processes} processes", shown)
    for name, zoom in (("paper", False), ("starred", True)):
        transformed = partial(torchvision_batches, shards, windows[:images], zoom)
        report(f"torchvision, {name}, 0 processes", images, transformed)


def read(path: str, order: np.ndarray) -> None:
    shards = ShardSet(path)
    for index in order:
        shards.row(int(index))


def torchvision_batches(shards: ShardSet, order: np.ndarray, zoom: bool) -> None:
    """Run torchvision's nearest equivalent of the paper's augmentation."""
    steps = [
        v2.RandomPhotometricDistort(p=1.0),
        *([v2.RandomZoomOut(fill={tv_tensors.Image: (123, 117, 104), "others": 0})] if zoom else []),
        v2.RandomIoUCrop(),
        v2.RandomHorizontalFlip(),
        v2.Resize((300, 300), antialias=False),
        v2.SanitizeBoundingBoxes(),
    ]
    transform = v2.Compose(steps)
    samples = []
    for index in order:
        row = shards.row(int(index))
        image = tv_tensors.Image(decode_jpeg(torch.frombuffer(bytearray(row.image), dtype=torch.uint8)))
        boxes = tv_tensors.BoundingBoxes(
            row.boxes_xyxy.copy(), format="XYXY", canvas_size=(row.height, row.width), dtype=torch.float32
        )
        samples.append(transform({"image": image, "boxes": boxes, "labels": torch.from_numpy(row.labels.copy())}))
        if len(samples) == BATCH:
            torch.stack([sample["image"] for sample in samples])
            samples.clear()


def measure_batches(name: str, batches: Iterable[Batch | EvaluationBatch]) -> None:
    """Time all but the first batch, which starts processes and opens files."""
    iterator = iter(batches)
    next(iterator)
    start, images = time.perf_counter(), 0
    for batch in iterator:
        images += len(batch.image_ids)
    print_rate(name, images, time.perf_counter() - start)


def report(name: str, images: int, work: Callable[[], None]) -> None:
    start = time.perf_counter()
    work()
    print_rate(name, images, time.perf_counter() - start)


def print_rate(name: str, images: int, seconds: float) -> None:
    print(f"{name:32}{images / seconds:9.0f} images/s{1000 * seconds / images:9.2f} ms each")


if __name__ == "__main__":
    main()
