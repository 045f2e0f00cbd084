"""Images per second of training input on one core: decoding, augmentation, resizing to 300 x 300; in turns.

    python benchmarks/input_pipeline.py [SHARDS] [--processes 0 1 2] [--out FILE]

Without SHARDS it draws images about as large as VOC's, in a folder that is removed afterwards. The sides take the same
images, encoded in memory: decoding alone, the augmentations, and torchvision's `ssd` preset (decode_jpeg,
RandomPhotometricDistort, RandomZoomOut, RandomIoUCrop, RandomHorizontalFlip, Resize), which has one interpolation, and
a crop that keeps objects by another rule. Then come whole batches of 32 from the shards by number of loader processes,
and reading rows in training order and in a full permutation. Rates are by CPU time, which other work on the machine
disturbs less; those by the clock stand beside them.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
import torch
from drawn_shards import drawn_shards
from torchvision import tv_tensors
from torchvision.io import decode_jpeg
from torchvision.transforms import v2

from pipeline.store.provenance import library_versions, machine
from ssd_core.data.augment.pipeline import augment
from ssd_core.data.images import decode_rgb
from ssd_core.data.loading import decode_row
from ssd_core.data.order import epoch_order, generator
from ssd_core.data.shards import Row, ShardSet
from ssd_core.data.training_stream import training_batches
from ssd_core.spec.augmentation import FLIP_ONLY, PAPER, STARRED, Augmentation
from ssd_core.spec.recipe import Recipe

BATCH, SIZE, FILL = 32, 300, (123, 117, 104)
AUGMENTATIONS = {"paper": PAPER, "starred": STARRED, "flip only": FLIP_ONLY}
RATIOS = (
    ("starred", "torchvision, starred"),
    ("paper", "torchvision, paper"),
    ("starred", "decoding alone"),
    ("paper", "decoding alone"),
)

Rates = dict[str, list[float]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shards", nargs="?")
    parser.add_argument("--images", type=int, default=256, help="number of images of one turn")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--processes", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--out", type=Path, help="JSON file to write")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    with ExitStack() as stack:
        if not options.shards:
            print(f"drawing {options.images} images ...", flush=True)
            place = stack.enter_context(TemporaryDirectory())
            options.shards = drawn_shards(place, images=options.images)
        record = measure(ShardSet(options.shards), options.shards, options)
    if options.out:
        options.out.write_text(json.dumps(record, indent=1) + "\n")


def measure(shards: ShardSet, path: str, options: argparse.Namespace) -> dict[str, Any]:
    order = epoch_order(shards.group_sizes, seed=0, epoch=0)
    rows = [shards.row(int(index)) for index in order[: options.images]]
    load = os.getloadavg()
    print(f"{len(rows)} images of {len(shards)}, {options.rounds} rounds; 1 thread; load {load[0]:.1f}", flush=True)
    one_core = in_turns(sides(rows), len(rows), options.rounds)
    report("images/s of a core", one_core)
    ratios = {f"{ours} / {theirs}": divided(one_core[ours], one_core[theirs]) for ours, theirs in RATIOS}
    report("ratio", ratios, digits=2)
    loaders = loader_rates(shards, options)
    report("images/s of the loader", loaders)
    permutation = np.random.default_rng(0).permutation(len(shards))
    reads = {"windows of row groups": order, "full permutation": permutation}
    reading = in_turns({name: partial(read, path, rows) for name, rows in reads.items()}, len(shards), 1)
    report("rows/s read", reading)
    return {
        "images": len(rows),
        "images_per_second_of_a_core": one_core,
        "ratios": ratios,
        "images_per_second_of_the_loader": loaders,
        "rows_read_per_second": reading,
        "load": {"before": load, "after": os.getloadavg()},
        "libraries": library_versions(),
        "machine": {name: value for name, value in machine().items() if name != "host"},
    }


def sides(rows: Sequence[Row]) -> dict[str, Callable[[], None]]:
    """Return what is measured in turns: each side takes all rows once."""
    ours = {name: partial(augmented, rows, augmentation) for name, augmentation in AUGMENTATIONS.items()}
    torchvision = {
        f"torchvision, {name}": partial(torchvision_transformed, rows, zoom)
        for name, zoom in (("paper", False), ("starred", True))
    }
    return {"decoding alone": partial(decoded, rows), **ours, **torchvision}


def decoded(rows: Sequence[Row]) -> None:
    for row in rows:
        decode_rgb(row.image)


def augmented(rows: Sequence[Row], augmentation: Augmentation) -> None:
    for index, row in enumerate(rows):
        boxes_xyxy = row.boxes_xyxy / np.array([row.width, row.height] * 2, np.float64)
        rng = generator("augmentation", seed=0, epoch=0, index=index)
        augment(decode_row(row), boxes_xyxy, augmentation, size=SIZE, fill_rgb=FILL, rng=rng)


def torchvision_transformed(rows: Sequence[Row], zoom: bool) -> None:
    """Run torchvision's nearest equivalent of the paper's augmentation."""
    torch.manual_seed(0)
    transform = v2.Compose(
        [
            v2.RandomPhotometricDistort(p=1.0),
            *([v2.RandomZoomOut(fill={tv_tensors.Image: FILL, "others": 0})] if zoom else []),
            v2.RandomIoUCrop(),
            v2.RandomHorizontalFlip(),
            v2.Resize((SIZE, SIZE), antialias=False),
            v2.SanitizeBoundingBoxes(),
        ]
    )
    for row in rows:
        image = tv_tensors.Image(decode_jpeg(torch.frombuffer(bytearray(row.image), dtype=torch.uint8)))
        boxes = tv_tensors.BoundingBoxes(
            row.boxes_xyxy.copy(), format="XYXY", canvas_size=(row.height, row.width), dtype=torch.float32
        )
        transform({"image": image, "boxes": boxes, "labels": torch.from_numpy(row.labels.copy())})


def in_turns(sides: Mapping[str, Callable[[], None]], images: int, rounds: int) -> Rates:
    """Return images per second of CPU time, and under "..., clock" of wall time, one value a round."""
    rates: Rates = {}
    for _ in range(rounds):
        for name, work in sides.items():
            clock, used = time.perf_counter(), time.process_time()
            work()
            rates.setdefault(name, []).append(images / (time.process_time() - used))
            rates.setdefault(f"{name}, clock", []).append(images / (time.perf_counter() - clock))
    return rates


def divided(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    return [rate / other for rate, other in zip(ours, theirs, strict=True)]


def loader_rates(shards: ShardSet, options: argparse.Namespace) -> Rates:
    """Return images per second of the starred stream by number of loader processes, in turns.

    Beside the rate by the clock stands that by the CPU time of all processes, starts and transfers included.
    """
    rates: Rates = {}
    batches = max(2, options.images // BATCH)
    for _ in range(options.rounds):
        for processes in options.processes:
            clock, used = loader_rate(shards, processes, batches)
            rates.setdefault(f"starred, {processes} processes, clock", []).append(clock)
            rates.setdefault(f"starred, {processes} processes", []).append(used)
    return rates


def loader_rate(shards: ShardSet, processes: int, batches: int) -> tuple[float, float]:
    """Time the batches after the prefetched ones by the clock, and all by the CPU time of this and its processes."""
    recipe = Recipe(augmentation=STARRED, batch_size=BATCH)
    first = max(1, 5 * processes)
    used = sum(os.times()[:4])
    loader = training_batches(shards, recipe, stop=first + batches, loader_processes=processes)
    for _ in range(first):
        next(loader)
    start = time.perf_counter()
    images = sum(len(batch.image_ids) for batch in loader)
    seconds = time.perf_counter() - start
    del loader  # ends its processes, whose CPU time is counted from then on
    return images / seconds, (images + first * BATCH) / (sum(os.times()[:4]) - used)


def read(path: str, order: np.ndarray) -> None:
    shards = ShardSet(path)
    for index in order:
        shards.row(int(index))


def report(title: str, rates: Rates, digits: int = 0) -> None:
    print(f"\n{title}: median (lowest to highest)")
    for name, values in rates.items():
        low, middle, high = (f"{value:.{digits}f}" for value in (min(values), statistics.median(values), max(values)))
        print(f"  {name:40}{middle:>8}  ({low} to {high})", flush=True)


if __name__ == "__main__":
    main()
