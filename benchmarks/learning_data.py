"""Data for the comparison with torchvision: shards of real images, and torchvision's augmentation in our image order.

Step s of both streams holds the same images; only their augmentation differs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float32, UInt8
from numpy import ndarray
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, Dataset
from torchvision import tv_tensors
from torchvision.transforms import v2

from ssd_core.boxes.objects import Objects
from ssd_core.data.loading import decode_row
from ssd_core.data.order import RowOrder, generator
from ssd_core.data.shards import MANIFEST, Row, ShardSet, build_manifest, write_rows
from ssd_core.data.training_stream import Batch, TrainingStream
from ssd_core.metrics.voc_ap import ScoredBoxes, TrueBoxes, evaluate, mean_result
from ssd_core.spec.recipe import Recipe

FILL_RGB = (123, 117, 104)
"""Fill colour of the zoom-out in torchvision's preset."""


def with_objects(shards: ShardSet, folder: Path) -> ShardSet:
    """Write the rows that have an object as shards in `folder`; the others contribute nothing to either loss."""
    if not (folder / MANIFEST).exists():
        folder.mkdir(exist_ok=True)
        rows = [row for row in shards if len(row.labels)]
        groups = write_rows(folder / "images.parquet", rows)
        digest = hashlib.sha256((folder / "images.parquet").read_bytes()).hexdigest()
        file = {"name": "images.parquet", "rows": len(rows), "row_groups": groups, "sha256": digest}
        counts = shards.manifest["per_class"]  # excluded rows have no objects
        (folder / MANIFEST).write_text(json.dumps(build_manifest(shards.classes, [file], counts)), encoding="utf-8")
    return ShardSet(str(folder))


def truth(shards: ShardSet) -> TrueBoxes:
    """Return all objects; images are numbered by row."""
    rows = list(shards)
    return TrueBoxes(
        images=np.repeat(np.arange(len(rows)), [len(row.labels) for row in rows]),
        labels=np.concatenate([row.labels for row in rows]),
        boxes_xyxy=np.concatenate([row.boxes_xyxy for row in rows]),
        difficult=np.concatenate([row.difficult for row in rows]),
    )


def scores(found: ScoredBoxes, shards: ShardSet) -> dict[str, Any]:
    """Return average precision by both VOC rules, as fractions."""
    results = evaluate(found, truth(shards), class_count=len(shards.classes))
    mean = mean_result(results)
    by_class = {name: round(result.ap_11point, 5) for name, result in zip(shards.classes, results, strict=True)}
    return {"map_11point": mean.ap_11point, "map_area": mean.ap_area, "ap_11point": by_class}


class OurBatches(Dataset[Batch]):
    """Batch of each step, augmented by ssd_core."""

    def __init__(self, shards: ShardSet, recipe: Recipe) -> None:
        self.stream = TrainingStream(shards, recipe)

    def __getitem__(self, step: int) -> Batch:
        return self.stream.batch(step)


class TorchvisionBatches(Dataset[Batch]):
    """Batch of each step, augmented by the `ssd` preset of torchvision's detection reference.

    Images are float32 in 0..255. They are resized as in torchvision's model (bilinear, without antialiasing), before
    batching. Random numbers are functions of seed, epoch and row.
    """

    def __init__(self, shards: ShardSet, recipe: Recipe) -> None:
        self.shards, self.recipe = shards, recipe
        self.order = RowOrder(shards.group_sizes, seed=recipe.seed)
        self.transform = v2.Compose(
            [
                v2.RandomPhotometricDistort(),
                v2.RandomZoomOut(fill={tv_tensors.Image: FILL_RGB, "others": 0}),
                v2.RandomIoUCrop(),
                v2.RandomHorizontalFlip(p=0.5),
                v2.ToDtype(torch.float32, scale=True),
                v2.SanitizeBoundingBoxes(),
            ]
        )

    def __getitem__(self, step: int) -> Batch:
        size = self.recipe.batch_size
        positions = range(step * size, (step + 1) * size)
        places = [self.order.at(position) for position in positions]
        rows = [self.shards.row(index) for _, index in places]
        samples = [self._sample(row, *place) for row, place in zip(rows, places, strict=True)]
        images, boxes_xyxy, labels = zip(*samples, strict=True)
        return Batch(
            images=torch.stack(images),
            objects=Objects(
                boxes_xyxy=pad_sequence(list(boxes_xyxy), batch_first=True),
                labels=pad_sequence(list(labels), batch_first=True),
                valid=pad_sequence([torch.ones_like(item, dtype=torch.bool) for item in labels], batch_first=True),
            ),
            image_ids=[row.image_id for row in rows],
            positions=torch.tensor(positions),
        )

    def _sample(self, row: Row, epoch: int, index: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return image (3, S, S), boxes (G, 4) in fractions of it, and labels (G,)."""
        rng = generator("augmentation", seed=self.recipe.seed, epoch=epoch, index=index)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(rng.integers(2**62)))
            sample = self.transform(_sample(row))
        image, boxes_xyxy = sample["image"].as_subclass(Tensor), sample["boxes"].as_subclass(Tensor)
        height, width = image.shape[1:]
        resized = F.interpolate(image[None], size=(self.recipe.spec.input_size,) * 2, mode="bilinear")[0]
        return resized * 255, boxes_xyxy / torch.tensor([width, height] * 2), sample["labels"]


def batches(stream: Dataset[Batch], iterations: int, processes: int = 0) -> Iterator[Batch]:
    """Return the batches of steps 0 to `iterations`, prefetched by `processes`."""
    loader = DataLoader(stream, batch_size=None, sampler=range(iterations), num_workers=processes)
    return iter(loader)


def pixels(row: Row) -> UInt8[Tensor, "3 H W"]:
    """Return the decoded image of a row."""
    decoded: UInt8[ndarray, "H W 3"] = decode_row(row)
    return torch.from_numpy(decoded).permute(2, 0, 1).contiguous()


def _sample(row: Row) -> dict[str, Tensor]:
    boxes: Float32[ndarray, "G 4"] = row.boxes_xyxy[~row.crowd]
    return {
        "image": tv_tensors.Image(pixels(row)),
        "boxes": tv_tensors.BoundingBoxes(
            torch.from_numpy(boxes), format="XYXY", canvas_size=(row.height, row.width), dtype=torch.float32
        ),
        "labels": torch.from_numpy(row.labels[~row.crowd]).long(),
    }
