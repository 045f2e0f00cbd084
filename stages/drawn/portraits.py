"""Images of one object each, with their classes: what a classifier of drawn objects is trained on.

Images are uint8 (N, 3, S, S), RGB; labels count the classes of the larger vocabulary.

Tested in tests/stages/training/test_drawn_backbone.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from stages.drawn.scene import draw_portrait
from stages.drawn.vocabulary import COCO_LIKE

STREAMS = {"training": 3, "test": 4}
"""Streams of random numbers beside those of the splits of drawn data sets (`STREAMS` in files.py)."""


def portraits(count: int, side: int, *, stream: Literal["training", "test"]) -> tuple[Tensor, Tensor]:
    """Draw images of all classes in turn; each depends on its stream, side and number alone."""
    classes = COCO_LIKE.classes
    images = [
        draw_portrait(side, classes[number % len(classes)], np.random.default_rng([0, STREAMS[stream], number]))
        for number in range(count)
    ]
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2), torch.arange(count) % len(classes)


def varied_batches(drawn: tuple[Tensor, Tensor], size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Endless random batches; half of them are mirrored, and all have their colour channels in a random order."""
    images, labels = drawn
    rng = np.random.default_rng(0)
    while True:
        chosen = torch.from_numpy(rng.integers(len(labels), size=size))
        batch = images[chosen][:, rng.permutation(3).tolist()]
        yield batch.flip(3) if rng.random() < 0.5 else batch, labels[chosen]
