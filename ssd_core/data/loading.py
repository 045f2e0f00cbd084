"""Loading shared by both streams: decoding rows, stacking images to tensors, and options for torch's DataLoader.

Tested in tests/ssd_core/data/test_training_stream.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import cv2
import numpy as np
import torch
from jaxtyping import UInt8
from numpy import ndarray
from torch import Tensor
from torch.utils.data import get_worker_info

from ssd_core.data.images import decode_rgb
from ssd_core.data.shards import Row


def decode_row(row: Row) -> UInt8[ndarray, "H W 3"]:
    """Return the RGB pixels of a row. Raises ValueError that names the image if it is unreadable or of another size."""
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


def stack(images: Sequence[UInt8[ndarray, "S S 3"]]) -> UInt8[Tensor, "b 3 S S"]:
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)


def loader_options(processes: int, pin_memory: bool) -> dict[str, Any]:
    """Return the options of the DataLoader."""
    return {
        "batch_size": None,  # the streams make whole batches
        "num_workers": processes,
        "prefetch_factor": 4 if processes else None,
        "pin_memory": pin_memory,
        "worker_init_fn": _start_loader,
        "generator": torch.Generator(),  # the loader draws a seed at its start; keep it off the global generator
    }


def _start_loader(_: int) -> None:
    cv2.setNumThreads(0)  # the loader processes already use all cores


def in_turn(steps: Iterable[int]) -> Iterator[int]:
    """Return this loader process's share of the steps, round-robin; the DataLoader restores their order."""
    info = get_worker_info()
    return iter(steps) if info is None else islice(steps, info.id, None, info.num_workers)
