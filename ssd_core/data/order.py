"""Which image stands where in the endless stream of a training: a pure function of seed and position.

Random numbers are functions of what they are for, so there is no state to carry, save or restore.

Position p is image p mod n of epoch p div n, so batches cross epochs. In an epoch the row groups of the shards are
shuffled, and the images within windows of 16 groups: an image is read with its group, and a full permutation would
read 32 images for each one used. Measured with images of 18 kB in the page cache: 0.05 ms for each, against 0.5 ms
(benchmarks/input_pipeline.py); from a disk or a bucket the factor of 32 is one of bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from jaxtyping import Int64
from numpy import ndarray

WINDOW_GROUPS = 16
"""512 images in groups of 32; a reader keeps that many groups in memory, about 50 MB of VOC."""


_PURPOSES = ("order", "augmentation")


def generator(
    purpose: Literal["order", "augmentation"], *, seed: int, epoch: int, index: int = 0
) -> np.random.Generator:
    """Independent generator for each purpose, seed, epoch and index (a counter-based one, so this is cheap)."""
    key = np.array([seed % 2**64, _PURPOSES.index(purpose)], np.uint64)
    counter = np.array([0, 0, epoch, index], np.uint64)  # the first two words count within the generator
    return np.random.Generator(np.random.Philox(key=key, counter=counter))


def epoch_order(group_sizes: Sequence[int], *, seed: int, epoch: int) -> Int64[ndarray, " n"]:
    """Permutation of the rows 0 to n - 1."""
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
    """The endless stream; remembers the permutation of the epoch asked for last."""

    def __init__(self, group_sizes: Sequence[int], *, seed: int) -> None:
        """Raises ValueError when there are no rows."""
        self.group_sizes, self.seed = tuple(group_sizes), seed
        self.rows = sum(self.group_sizes)
        if not self.rows:
            raise ValueError("the shards hold no images, so there is nothing to train on")
        self._epoch, self._order = -1, np.empty(0, np.int64)

    def at(self, position: int) -> tuple[int, int]:
        """Epoch and row of a position."""
        epoch, place = divmod(position, self.rows)
        if epoch != self._epoch:
            self._epoch, self._order = epoch, epoch_order(self.group_sizes, seed=self.seed, epoch=epoch)
        return epoch, int(self._order[place])


def share(batch_size: int, *, rank: int, world: int) -> range:
    """The places of a batch that worker `rank` of `world` takes: sizes differ by at most 1.

    Raises ValueError when a worker would get none.
    """
    if batch_size < world:
        raise ValueError(
            f"a batch of {batch_size} images cannot be split over {world} workers: use at most {batch_size}"
        )
    return range(batch_size * rank // world, batch_size * (rank + 1) // world)
