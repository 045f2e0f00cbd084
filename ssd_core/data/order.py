"""Order of the images in the endless stream of a training: a pure function of seed and position.

Random numbers are functions of their purpose, so there is no state to carry, save or restore.

Position p is image p mod n of epoch p div n, so batches may span epochs. In each epoch the row groups of the shards are
shuffled, then the images within windows of 16 groups: an image is read together with its row group, so a full
permutation would read 32 images for each one used. Measured with images of 18 kB in the page cache: 0.05 ms per image
instead of 0.5 ms (benchmarks/input_pipeline.py); from a disk or a bucket, a full permutation reads 32 times the bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from jaxtyping import Int64
from numpy import ndarray

WINDOW_GROUPS = 16
"""Row groups per window: 512 images in groups of 32. A `ShardSet` caches that many groups, about 50 MB of VOC."""


_PURPOSES = ("order", "augmentation")


def generator(
    purpose: Literal["order", "augmentation"], *, seed: int, epoch: int, index: int = 0
) -> np.random.Generator:
    """Return an independent generator for each purpose, seed, epoch and index (counter-based, so this is cheap)."""
    key = np.array([seed % 2**64, _PURPOSES.index(purpose)], np.uint64)
    counter = np.array([0, 0, epoch, index], np.uint64)  # the first two words count within the generator
    return np.random.Generator(np.random.Philox(key=key, counter=counter))


def epoch_order(group_sizes: Sequence[int], *, seed: int, epoch: int) -> Int64[ndarray, " n"]:
    """Return a permutation of the rows 0 to n - 1."""
    rng = generator("order", seed=seed, epoch=epoch)
    ends = np.cumsum(group_sizes, dtype=np.int64)
    groups = rng.permutation(len(ends))
    windows = [
        np.concatenate(
            [np.arange(ends[group] - group_sizes[group], ends[group]) for group in groups[at : at + WINDOW_GROUPS]]
        )
        for at in range(0, len(groups), WINDOW_GROUPS)
    ]
    return np.concatenate([rng.permutation(window) for window in windows])


class RowOrder:
    """Order of the endless stream; caches the permutation of the most recent epoch."""

    def __init__(self, group_sizes: Sequence[int], *, seed: int) -> None:
        """Raises ValueError if there are no rows."""
        self.group_sizes, self.seed = tuple(group_sizes), seed
        self.rows = sum(self.group_sizes)
        if not self.rows:
            raise ValueError("the shards hold no images, so there is nothing to train on")
        self._epoch, self._order = -1, np.empty(0, np.int64)

    def at(self, position: int) -> tuple[int, int]:
        """Return epoch and row of a position."""
        epoch, place = divmod(position, self.rows)
        if epoch != self._epoch:
            self._epoch, self._order = epoch, epoch_order(self.group_sizes, seed=self.seed, epoch=epoch)
        return epoch, int(self._order[place])


def share(batch_size: int, *, rank: int, world: int) -> range:
    """Return the indices within a batch that worker `rank` of `world` takes; shares differ by at most 1.

    Raises ValueError if a worker would get none.
    """
    if batch_size < world:
        raise ValueError(
            f"a batch of {batch_size} images cannot be split over {world} workers: use at most {batch_size} workers"
        )
    return range(batch_size * rank // world, batch_size * (rank + 1) // world)
