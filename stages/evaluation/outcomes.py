"""The file of detection outcomes, class by class (`ssd_core.metrics.voc_ap.Outcomes`)."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import IO

import numpy as np

from ssd_core.metrics.voc_ap import Outcomes

OUTCOMES = "outcomes.npz"
FIELDS = ("images", "true", "counted", "object_images")


def write_outcomes(stream: IO[bytes], outcomes: Sequence[Outcomes], *, images: int) -> None:
    """Write the outcomes of all classes on `images` images."""
    arrays = {f"{label}/{name}": getattr(item, name) for label, item in enumerate(outcomes) for name in FIELDS}
    buffer = io.BytesIO()  # writing a zip archive needs seeks, which a stream to an object store lacks
    np.savez_compressed(buffer, allow_pickle=False, size=np.array([len(outcomes), images]), **arrays)
    stream.write(buffer.getvalue())


def read_outcomes(content: bytes) -> tuple[list[Outcomes], int]:
    """The outcomes, and the number of images."""
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        classes, images = (int(value) for value in arrays["size"])
        outcomes = [Outcomes(**{name: arrays[f"{label}/{name}"] for name in FIELDS}) for label in range(classes)]
    return outcomes, images
