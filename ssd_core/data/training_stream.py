"""The endless stream of augmented batches of a training.

Step s takes the positions s * batch_size to (s + 1) * batch_size of the order; each worker of a training takes its
share of them. The sample at a position depends on seed and position only: not on the number of workers or loader
processes, nor on where the stream started. Images are uint8 RGB, channels last in memory; boxes are (xmin, ymin, xmax,
ymax) in fractions of the image; labels are 0-based without background (the loss adds the 1).
Letters: b images of this worker, G objects (padded), S side of the input.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import count
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float64, Int, UInt8
from numpy import ndarray
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from ssd_core.boxes.objects import Objects
from ssd_core.data.augment.expand import fill_colour
from ssd_core.data.augment.pipeline import augment
from ssd_core.data.loading import decode_row, in_turn, loader_options, stack
from ssd_core.data.order import RowOrder, generator, share
from ssd_core.data.shards import Row, ShardSet
from ssd_core.spec.recipe import Recipe


class Batch(NamedTuple):
    """One worker's share of a step."""

    images: UInt8[Tensor, "b 3 S S"]
    objects: Objects
    """Annotated objects; labels are 0-based without background, padding is zero."""

    image_ids: list[str]
    positions: Int[Tensor, " b"]
    """Positions in the endless stream."""

    def to(self, device: torch.device | str) -> Batch:
        """Copy to a device, asynchronously if the memory is pinned."""
        return self._replace(
            images=self.images.to(device, non_blocking=True),
            objects=self.objects.to(torch.device(device), non_blocking=True),
        )

    def to_cuda(self, stream: torch.cuda.Stream) -> Batch:
        """Copy to the GPU of `stream` on that stream; kernels queued from now on wait for the copy.

        Kernels queued before do not: if the host is ahead of the GPU, the previous step computes during the copy.
        """
        current = torch.cuda.current_stream(stream.device)
        with torch.cuda.stream(stream):
            batch = self.to(stream.device)
        current.wait_stream(stream)
        for values in (batch.images, *batch.objects):
            values.record_stream(current)  # the memory belongs to `stream`, which must not reuse it too early
        return batch


class _Sample(NamedTuple):
    image: UInt8[ndarray, "S S 3"]
    boxes_xyxy: Float64[ndarray, "M 4"]
    labels: Int[ndarray, " M"]
    image_id: str


class TrainingStream(IterableDataset[Batch]):
    """Batches of worker `rank` of `world`: any step through `batch`, or `start` to `stop` by iterating."""

    def __init__(
        self,
        shards: ShardSet,
        recipe: Recipe,
        *,
        start: int = 0,
        stop: int | None = None,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        """Raises ValueError if there are no images, or fewer images in a batch than workers."""
        self.shards, self.recipe = shards, recipe
        self.start, self.stop = start, stop
        self.places = share(recipe.batch_size, rank=rank, world=world)
        self.order = RowOrder(shards.group_sizes, seed=recipe.seed)

    def __iter__(self) -> Iterator[Batch]:
        steps = count(self.start) if self.stop is None else range(self.start, self.stop)
        return map(self.batch, in_turn(steps))

    def batch(self, step: int) -> Batch:
        """Return this worker's share of step `step`, counted from 0."""
        positions = [step * self.recipe.batch_size + place for place in self.places]
        samples = [self._sample(position) for position in positions]
        return Batch(
            images=stack([sample.image for sample in samples]),
            objects=_pad(samples),
            image_ids=[sample.image_id for sample in samples],
            positions=torch.tensor(positions),
        )

    def _sample(self, position: int) -> _Sample:
        epoch, index = self.order.at(position)
        row, recipe = self.shards.row(index), self.recipe
        augmented = augment(
            decode_row(row),
            row.boxes_xyxy / np.array([row.width, row.height] * 2, np.float64),
            recipe.augmentation,
            size=recipe.spec.input_size,
            fill_rgb=self._fill_rgb,
            rng=generator("augmentation", seed=recipe.seed, epoch=epoch, index=index),
        )
        used = self._trained_on(row)[augmented.kept]
        return _Sample(
            image=augmented.image,
            boxes_xyxy=augmented.boxes_xyxy[used],
            labels=row.labels[augmented.kept][used],
            image_id=row.image_id,
        )

    def _trained_on(self, row: Row) -> Bool[ndarray, " G"]:
        """Mask of the objects to train on, never crowds; excluded ones still affect the crop, as in the original."""
        return ~row.crowd if self.recipe.train_difficult else ~(row.crowd | row.difficult)

    @cached_property
    def _fill_rgb(self) -> tuple[int, int, int]:
        return fill_colour(self.recipe.spec.preprocessing)


def training_batches(
    shards: ShardSet,
    recipe: Recipe,
    *,
    start: int = 0,
    stop: int | None = None,
    rank: int = 0,
    world: int = 1,
    loader_processes: int = 0,
    pin_memory: bool = False,
) -> Iterator[Batch]:
    """Return one worker's stream, prefetched by `loader_processes` (0: in this process), endless without `stop`."""
    stream = TrainingStream(shards, recipe, start=start, stop=stop, rank=rank, world=world)
    return iter(DataLoader(stream, **loader_options(loader_processes, pin_memory)))


def _pad(samples: Sequence[_Sample]) -> Objects:
    most = max(len(sample.labels) for sample in samples)
    padded = Objects(
        boxes_xyxy=torch.zeros(len(samples), most, 4),
        labels=torch.zeros(len(samples), most, dtype=torch.int64),
        valid=torch.zeros(len(samples), most, dtype=torch.bool),
    )
    for at, sample in enumerate(samples):
        objects = slice(len(sample.labels))
        padded.boxes_xyxy[at, objects] = torch.from_numpy(sample.boxes_xyxy).float()
        padded.labels[at, objects] = torch.from_numpy(sample.labels).long()
        padded.valid[at, objects] = True
    return padded
