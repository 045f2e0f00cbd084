"""Shards to batches: the endless augmented stream of a training, and the plain one of an evaluation.

Step s takes the positions s * batch_size to (s + 1) * batch_size of the order; each worker of a training takes its
share of them. What stands at a position depends on seed and position only: not on the number of workers, of loader
processes, or on where the stream was started. Images are uint8 RGB, channels last in memory; boxes are (xmin, ymin,
xmax, ymax) in fractions of the image; labels are 0-based without background (the loss adds the 1).
Letters: b images of this worker, G objects (padded), S side of the input.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import count, islice
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float64, Int, UInt8
from numpy import ndarray
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from ssd_core.boxes.objects import Objects
from ssd_core.data.augment.expand import fill_colour
from ssd_core.data.augment.pipeline import augment
from ssd_core.data.augment.resize import resize
from ssd_core.data.images import decode_rgb
from ssd_core.data.order import RowOrder, share
from ssd_core.data.randomness import generator
from ssd_core.data.shards import Row, ShardSet
from ssd_core.spec.recipe import Recipe


class Batch(NamedTuple):
    """One worker's share of a step."""

    images: UInt8[Tensor, "b 3 S S"]
    objects: Objects
    """Labels are 0-based without background; padding is zero."""

    image_ids: list[str]
    positions: Int[Tensor, " b"]
    """Places in the endless stream."""

    def to(self, device: torch.device | str) -> Batch:
        """Copy to a device, without waiting where the memory is pinned."""
        return self._replace(
            images=self.images.to(device, non_blocking=True),
            objects=self.objects.to(torch.device(device), non_blocking=True),
        )


class EvaluationBatch(NamedTuple):
    """Images of the shards in their order, resized and nothing else."""

    images: UInt8[Tensor, "b 3 S S"]
    image_ids: list[str]
    sizes_wh: Int[Tensor, "b 2"]
    """Width and height of the original images."""

    rows: Int[Tensor, " b"]


class _Sample(NamedTuple):
    image: UInt8[ndarray, "S S 3"]
    boxes_xyxy: Float64[ndarray, "M 4"]
    labels: Int[ndarray, " M"]
    image_id: str


class TrainingStream(IterableDataset[Batch]):
    """Batches of worker `rank` of `world`: any step by `batch`, all from `start` to `stop` by iterating."""

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
        """Raises ValueError when there are no images, or fewer images in a batch than workers."""
        self.shards, self.recipe = shards, recipe
        self.start, self.stop = start, stop
        self.places = share(recipe.batch_size, rank=rank, world=world)
        self.order = RowOrder(shards.group_sizes, seed=recipe.seed)

    def __iter__(self) -> Iterator[Batch]:
        steps = count(self.start) if self.stop is None else range(self.start, self.stop)
        return map(self.batch, _in_turn(steps))

    def batch(self, step: int) -> Batch:
        """This worker's share of step `step`, counted from 0."""
        positions = [step * self.recipe.batch_size + place for place in self.places]
        samples = [self._sample(position) for position in positions]
        return Batch(
            images=_stack([sample.image for sample in samples]),
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
        wanted = self._trained_on(row)[augmented.kept]
        return _Sample(
            image=augmented.image,
            boxes_xyxy=augmented.boxes_xyxy[wanted],
            labels=row.labels[augmented.kept][wanted],
            image_id=row.image_id,
        )

    def _trained_on(self, row: Row) -> Bool[ndarray, " G"]:
        """Crowds never; they and difficult objects take part in the choice of the patch, as in the original."""
        return ~row.crowd if self.recipe.train_difficult else ~(row.crowd | row.difficult)

    @cached_property
    def _fill_rgb(self) -> tuple[int, int, int]:
        return fill_colour(self.recipe.spec.preprocessing)


class EvaluationStream(IterableDataset[EvaluationBatch]):
    """Rows in the order given, `batch_size` at a time; the last batch may be smaller."""

    def __init__(self, shards: ShardSet, rows: Sequence[int], *, input_size: int, batch_size: int) -> None:
        self.shards, self.rows = shards, rows
        self.input_size, self.batch_size = input_size, batch_size

    def __iter__(self) -> Iterator[EvaluationBatch]:
        return map(self.batch, _in_turn(range(-(-len(self.rows) // self.batch_size))))

    def batch(self, number: int) -> EvaluationBatch:
        """Batch `number`, counted from 0."""
        numbers = self.rows[number * self.batch_size : (number + 1) * self.batch_size]
        rows = [self.shards.row(index) for index in numbers]
        return EvaluationBatch(
            images=_stack([resize(decode_row(row), self.input_size) for row in rows]),
            image_ids=[row.image_id for row in rows],
            sizes_wh=torch.tensor([(row.width, row.height) for row in rows]),
            rows=torch.tensor(numbers),
        )


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
    """The stream of one worker, read ahead by `loader_processes` (0: in this process), endless without `stop`."""
    stream = TrainingStream(shards, recipe, start=start, stop=stop, rank=rank, world=world)
    return iter(DataLoader(stream, **_loading(loader_processes, pin_memory)))


def evaluation_batches(
    shards: ShardSet,
    *,
    input_size: int,
    batch_size: int,
    rows: Sequence[int] | None = None,
    loader_processes: int = 0,
    pin_memory: bool = False,
) -> Iterator[EvaluationBatch]:
    """Images of `rows` (all without it) in that order, bilinear to a square of `input_size`."""
    chosen = range(len(shards)) if rows is None else rows
    stream = EvaluationStream(shards, chosen, input_size=input_size, batch_size=batch_size)
    return iter(DataLoader(stream, **_loading(loader_processes, pin_memory)))


def decode_row(row: Row) -> UInt8[ndarray, "H W 3"]:
    """RGB pixels of a row. Raises ValueError that names the image when they are unreadable or of another size."""
    try:
        image = decode_rgb(row.image)
    except ValueError as error:
        raise ValueError(f"image {row.image_id!r} of {row.source!r}: {error}") from error
    if image.shape[:2] != (row.height, row.width):
        raise ValueError(
            f"image {row.image_id!r} of {row.source!r} has {image.shape[1]}x{image.shape[0]} pixels, but its row says "
            f"{row.width}x{row.height}: shard the data again"
        )
    return image


def _loading(processes: int, pin_memory: bool) -> dict[str, Any]:
    """Options of the data loader."""
    return {
        "batch_size": None,  # the streams make whole batches
        "num_workers": processes,
        "prefetch_factor": 4 if processes else None,
        "pin_memory": pin_memory,
        "worker_init_fn": _start_loader,
        "generator": torch.Generator(),  # it draws a number at its start; not from the global generator
    }


def _start_loader(_: int) -> None:
    cv2.setNumThreads(0)  # the processes share the cores already


def _in_turn(steps: Iterable[int]) -> Iterator[int]:
    """The steps of this loader process: whole ones in turn, which the loader puts back in order."""
    info = get_worker_info()
    return iter(steps) if info is None else islice(steps, info.id, None, info.num_workers)


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


def _stack(images: Sequence[UInt8[ndarray, "S S 3"]]) -> UInt8[Tensor, "b 3 S S"]:
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
