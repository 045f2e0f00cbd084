"""Batches of an evaluation: the images of the shards in order, only resized.

Images are uint8 RGB, channels last in memory. Letters: b images of a batch, S side of the input.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Int, UInt8
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from ssd_core.data.images import resize
from ssd_core.data.loading import decode_row, in_turn, loader_options, stack
from ssd_core.data.shards import ShardSet


class EvaluationBatch(NamedTuple):
    """Resized images in the order of the shards."""

    images: UInt8[Tensor, "b 3 S S"]
    image_ids: list[str]
    sizes_wh: Int[Tensor, "b 2"]
    """Width and height of the original images."""

    rows: Int[Tensor, " b"]


class EvaluationStream(IterableDataset[EvaluationBatch]):
    """Batches of the rows in the given order; the last batch may be smaller."""

    def __init__(self, shards: ShardSet, rows: Sequence[int], *, input_size: int, batch_size: int) -> None:
        self.shards, self.rows = shards, rows
        self.input_size, self.batch_size = input_size, batch_size

    def __iter__(self) -> Iterator[EvaluationBatch]:
        return map(self.batch, in_turn(range(-(-len(self.rows) // self.batch_size))))

    def batch(self, number: int) -> EvaluationBatch:
        """Return batch `number`, counted from 0."""
        numbers = self.rows[number * self.batch_size : (number + 1) * self.batch_size]
        rows = [self.shards.row(index) for index in numbers]
        return EvaluationBatch(
            images=stack([resize(decode_row(row), self.input_size) for row in rows]),
            image_ids=[row.image_id for row in rows],
            sizes_wh=torch.tensor([(row.width, row.height) for row in rows]),
            rows=torch.tensor(numbers),
        )


def evaluation_batches(
    shards: ShardSet,
    *,
    input_size: int,
    batch_size: int,
    rows: Sequence[int] | None = None,
    loader_processes: int = 0,
    pin_memory: bool = False,
) -> Iterator[EvaluationBatch]:
    """Return batches of the images of `rows` (default: all) in that order, resized bilinearly to `input_size`."""
    chosen = range(len(shards)) if rows is None else rows
    stream = EvaluationStream(shards, chosen, input_size=input_size, batch_size=batch_size)
    return iter(DataLoader(stream, **loader_options(loader_processes, pin_memory)))
