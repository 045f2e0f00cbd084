"""Which part of the output shows the image, and which pixels of the patch it is resized from; along one axis.

Resizing maps the ends of the patch onto those of the output: output edge x is patch edge x * scale. A part of the
output can therefore be resized by itself, at the same scale, if it starts at an edge that falls onto an edge between
two pixels of the patch. The part begins at the last such edge before the image and the reach of the interpolation, and
ends after both. What lies outside shows empty canvas only.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor

import cv2

ALIGNMENT = 1 / 32
"""Largest distance of two edges that count as one, in pixels of the patch, or of the output if those are larger."""

REACH = {cv2.INTER_NEAREST: 1, cv2.INTER_LINEAR: 1, cv2.INTER_CUBIC: 2, cv2.INTER_LANCZOS4: 4}
"""Number of pixels to either side that an interpolation reads, whatever the scale."""


@dataclass(frozen=True, kw_only=True)
class Side:
    """Rows or columns of a patch in pixels of the image: negative, or beyond its size, where the canvas is empty."""

    start: int
    stop: int
    image_size: int

    @property
    def extent(self) -> int:
        """Size of the patch."""
        return self.stop - self.start

    @property
    def image(self) -> slice:
        """Pixels of the image that the patch shows."""
        return slice(max(self.start, 0), min(self.stop, self.image_size))

    @property
    def is_empty(self) -> bool:
        """Whether the patch shows nothing of the image."""
        return self.stop <= 0 or self.start >= self.image_size

    @property
    def is_full(self) -> bool:
        """Whether the patch shows nothing but the image."""
        return self.start >= 0 and self.stop <= self.image_size


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of the output that can be resized by itself."""

    first: int
    """Its first row or column."""

    border: tuple[int, int]
    """Number of empty pixels to put before and after the shown ones; then its pixels are complete."""


def shown_part(side: Side, size: int, interpolation: int) -> Part:
    """Return the part of an output of `size` rows or columns that shows the image."""
    scale = side.extent / size
    reach = scale / 2 + 1 if interpolation == cv2.INTER_AREA else REACH[interpolation]
    start, stop = side.image.start - side.start, side.image.stop - side.start
    first = _aligned(max(0, floor((start - reach) / scale - 0.5)), scale)
    last = min(size, ceil((stop + reach) / scale + 0.5))
    end = min(side.extent, ceil(last * scale) + 1)  # 1: rounding the resized size to whole pixels must not cut the last
    return Part(first=first, border=(start - round(first * scale), end - stop))


def _aligned(edge: int, scale: float) -> int:
    """Return the last output edge up to `edge` that falls onto one of the patch; 0 does."""
    tolerance = ALIGNMENT * min(1.0, scale)
    while abs(edge * scale - round(edge * scale)) > tolerance:
        edge -= 1
    return edge
