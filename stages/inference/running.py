"""Detection in many pictures, batch by batch; a picture that cannot be read is reported and skipped.

Tested in tests/stages/inference/test_sources.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import cv2

from pipeline.errors import PipelineError
from stages.inference.pictures import pixels_of
from stages.inference.predictor import batches

if TYPE_CHECKING:
    from jaxtyping import UInt8
    from numpy import ndarray

    from stages.inference.image_detections import ImageDetections
    from stages.inference.predictor import Predictor
    from stages.inference.sources import Source


class Unreadable(dict[str, str]):
    """Why each picture that could not be read could not, by its name."""


def detect_in(
    predictor: Predictor, sources: Iterable[Source], unreadable: Unreadable
) -> Iterator[tuple[Source, ImageDetections]]:
    """Detections of each picture that can be read, in order; the others are put into `unreadable`."""
    for batch in batches(_readable(sources, unreadable), predictor.batch_size):
        pixels, names = [each for _, each in batch], [source.name for source, _ in batch]
        found = predictor.on_batch(pixels, pixels, names)
        yield from zip((source for source, _ in batch), found, strict=True)


def _readable(sources: Iterable[Source], unreadable: Unreadable) -> Iterator[tuple[Source, UInt8[ndarray, "H W 3"]]]:
    for source in sources:
        try:
            yield source, pixels_of(source.read())
        except (PipelineError, cv2.error) as error:
            unreadable[source.name] = str(error).removeprefix(f"{source.name}: ")
