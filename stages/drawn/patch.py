"""Rasterised outlines: antialiased covers on small canvases, and their overlap with an image.

Tested in tests/stages/drawn/test_shapes.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from stages.drawn.shapes import Array, Outline

SUBPIXEL_BITS = 6


@dataclass(frozen=True)
class Patch:
    """Cover of a shape on a small canvas: 0 to 255, antialiased, its first pixel at (left, top) of the image."""

    cover: Array
    left: int
    top: int

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        height, width = self.cover.shape
        return height, width

    @property
    def area(self) -> int:
        """Number of pixels at least half covered, including those outside the image."""
        return int(np.count_nonzero(self.cover >= 128))


def raster(outline: Outline, x: float, y: float) -> Patch:
    """Rasterise an outline with its origin at (x, y) of the image."""
    left, top = int(np.floor(x)) - 1, int(np.floor(y)) - 1
    width, height = np.ceil(np.concatenate(outline).max(0)).astype(int) + 4
    cover = np.zeros((height, width), np.uint8)
    # Sample points lie at pixel centres: coordinate 0.5 is the centre of pixel 0
    shift = np.array([x - left, y - top]) - 0.5
    contours = [np.rint((contour + shift) * 2**SUBPIXEL_BITS).astype(np.int32) for contour in outline]
    cv2.fillPoly(cover, contours, 255, cv2.LINE_AA, SUBPIXEL_BITS)
    return Patch(cover, left, top)


def overlap(
    image: tuple[int, ...], patch: tuple[int, ...], left: int, top: int
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Overlap of a patch and an image, both given by (height, width): slices of the image, and slices of the patch."""
    bottom, right = min(top + patch[0], image[0]), min(left + patch[1], image[1])
    y, x = max(top, 0), max(left, 0)
    bottom, right = max(bottom, y), max(right, x)
    return (slice(y, bottom), slice(x, right)), (slice(y - top, bottom - top), slice(x - left, right - left))
