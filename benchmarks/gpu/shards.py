"""The images that the parts work on: a sample of real ones, or drawn noise where the sample is absent."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from ssd_core.data.shards import MANIFEST, Row, ShardSet, build_manifest, write_rows
from ssd_core.data.training_stream import Batch, training_batches
from ssd_core.spec.recipe import Recipe
from ssd_core.spec.vocabularies import VOC_CLASSES

NOISE_IMAGES = 192
SIZE_WH = (500, 375)
"""The most frequent size in VOC."""


def sample(data: Path, scratch: Path) -> tuple[ShardSet, str]:
    """Return the images under `data`, or noise written to `scratch`, and a description of them."""
    folder = data / "sample"
    if (folder / MANIFEST).exists():
        shards = ShardSet(str(folder))
        return shards, f"{len(shards)} images of the sample"
    write_shards(map(noise_row, range(NOISE_IMAGES)), VOC_CLASSES, scratch)
    return ShardSet(str(scratch)), f"{NOISE_IMAGES} JPEG images of blurred noise, drawn because {folder} is absent"


def write_shards(rows: Iterable[Row], classes: tuple[str, ...], folder: Path) -> None:
    """Write rows as a shard set of one file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "images.parquet"
    written = list(rows)
    groups = write_rows(path, written)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    file = {"name": path.name, "rows": len(written), "row_groups": groups, "sha256": digest}
    objects = np.bincount(np.concatenate([row.labels for row in written]), minlength=len(classes))
    counts = {name: {"objects": int(count)} for name, count in zip(classes, objects, strict=True)}
    (folder / MANIFEST).write_text(json.dumps(build_manifest(classes, [file], counts)), encoding="utf-8")


def noise_row(number: int) -> Row:
    """Return an image of about 90 kB, as in VOC, with one to six boxes."""
    rng = np.random.default_rng(number)
    width, height = SIZE_WH
    noise = rng.normal(128, 60, (height, width, 3)).clip(0, 255).astype(np.uint8)
    count = 1 + number % 6
    corners = rng.uniform(0, 0.6, (count, 2))
    sides = rng.uniform(0.1, 0.4, (count, 2))
    boxes = np.concatenate([corners, corners + sides], axis=1) * [width, height, width, height]
    return Row(
        image_id=f"noise{number}",
        source="noise",
        image=cv2.imencode(".jpg", cv2.GaussianBlur(noise, (3, 3), 0))[1].tobytes(),
        width=width,
        height=height,
        boxes_xyxy=boxes.astype(np.float32),
        labels=rng.integers(0, len(VOC_CLASSES), count).astype(np.int32),
        difficult=np.zeros(count, bool),
        crowd=np.zeros(count, bool),
        area=(sides[:, 0] * sides[:, 1] * width * height).astype(np.float32),
        annotation_ids=np.arange(count),
    )


def resident(shards: ShardSet, recipe: Recipe, count: int = 2, processes: int = 0) -> list[Batch]:
    """Return the first `count` augmented batches of a training, on the CPU."""
    return list(islice(training_batches(shards, recipe, stop=count, loader_processes=processes), count))


def split(batches: Iterable[Batch], size: int) -> Iterator[Batch]:
    """Cut batches into ones of `size` images; a remainder is dropped."""
    for batch in batches:
        for start in range(0, len(batch.images) - size + 1, size):
            part = slice(start, start + size)
            most = int(batch.objects.valid[part].sum(dim=1).max())  # padded as a batch of this size would be
            objects = type(batch.objects)(*(values[part, :most] for values in batch.objects))
            yield Batch(batch.images[part], objects, batch.image_ids[part], batch.positions[part])
