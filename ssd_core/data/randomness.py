"""Random numbers as functions of what they are for: no state to carry, save or restore."""

from __future__ import annotations

from typing import Literal

import numpy as np

_PURPOSES = ("order", "augmentation")


def generator(
    purpose: Literal["order", "augmentation"], *, seed: int, epoch: int, index: int = 0
) -> np.random.Generator:
    """Independent generator for each purpose, seed, epoch and index (a counter-based one, so this is cheap)."""
    key = np.array([seed % 2**64, _PURPOSES.index(purpose)], np.uint64)
    counter = np.array([0, 0, epoch, index], np.uint64)  # the first two words count within the generator
    return np.random.Generator(np.random.Philox(key=key, counter=counter))
