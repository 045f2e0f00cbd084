"""A detector for pictures of any size: resizes, detects in batches, and returns boxes in pixels.

It computes what `stages.detection` computes on shards: with equal batches and threads, boxes are equal bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar, overload

import torch
from jaxtyping import UInt8
from numpy import ndarray

from ssd_core.data.images import resize
from ssd_core.data.loading import stack
from ssd_core.detection.decoding import Detections, detect
from ssd_core.detection.limits import DetectionLimits
from ssd_core.weights.weights import Weights
from stages.inference.image_detections import ImageDetections
from stages.inference.pictures import is_one, name_of, pixels_of

if TYPE_CHECKING:
    from stages.inference.pictures import Picture

Item = TypeVar("Item")

BATCH = 16
"""Images in a batch, as `evaluate weights` has them."""


class Predictor:
    """Call it with one picture for its `ImageDetections`, or with several for a list of them."""

    def __init__(self, weights: Weights, *, limits: DetectionLimits, device: str = "", batch_size: int = BATCH) -> None:
        """`device` is named as torch does; empty: a GPU if there is one."""
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.limits, self.batch_size, self.spec = limits, batch_size, weights.spec
        self._detector = weights.detector().to(self.device).to(memory_format=torch.channels_last)

    @property
    def classes(self) -> tuple[str, ...]:
        return self.spec.classes

    def __repr__(self) -> str:
        size, count = self.spec.input_size, len(self.classes)
        return f"SSD{size} for {count} classes, on {self.device}, scores above {self.limits.min_score:g}"

    @overload
    def __call__(self, pictures: Picture) -> ImageDetections: ...  # type: ignore[overload-overlap] # a str is iterable
    @overload
    def __call__(self, pictures: Iterable[Picture]) -> list[ImageDetections]: ...
    def __call__(self, pictures: Any) -> ImageDetections | list[ImageDetections]:
        """Detect in paths, PIL images, arrays (H, W, 3) or tensors (3, H, W) of RGB in uint8; sizes may differ.

        Raises PipelineError that names a picture which cannot be read.
        """
        if is_one(pictures):
            return self.on_batch([pixels_of(pictures)], [pictures])[0]
        return [found for batch in batches(pictures, self.batch_size) for found in self._read_and_detect(batch)]

    def _read_and_detect(self, pictures: Sequence[Picture]) -> list[ImageDetections]:
        return self.on_batch([pixels_of(picture) for picture in pictures], pictures)

    def on_batch(
        self, pixels: Sequence[UInt8[ndarray, "H W 3"]], pictures: Sequence[Picture], names: Sequence[str] = ()
    ) -> list[ImageDetections]:
        """Detect in one batch. `pictures` are what the results draw on; `names` replace those of the pictures."""
        images = stack([resize(each, self.spec.input_size) for each in pixels])
        found = detect(self._detector, images.to(self.device), self.limits).cpu()
        sizes = torch.tensor([(each.shape[1], each.shape[0]) for each in pixels])
        found = found._replace(boxes_xyxy=found.boxes_xyxy * sizes.repeat(1, 2)[found.images])
        return [
            self._of_image(found, number, picture, name, pixels[number].shape)
            for number, (picture, name) in enumerate(zip(pictures, names or map(name_of, pictures), strict=True))
        ]

    def _of_image(
        self, found: Detections, number: int, picture: Picture, name: str, shape: tuple[int, ...]
    ) -> ImageDetections:
        own = found.images == number
        return ImageDetections(
            boxes_xyxy=found.boxes_xyxy[own].float().numpy(),
            labels=found.labels[own].numpy(),
            scores=found.scores[own].float().numpy(),
            classes=self.classes,
            width=shape[1],
            height=shape[0],
            name=name,
            picture=picture,
        )


def batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Consecutive items in lists of `size`; the last may be shorter."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch
