"""Zoom out: the image at a random place on a larger canvas (paper section 3.6; ExpandImage in data_transformer.cpp).

With probability 1/2 both sides grow by the same factor U(1, 4), the area by up to 16; the rest of the canvas is filled
with the mean that preprocessing subtracts, so the network's input is zero there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from numpy import ndarray

from ssd_core.spec.detector import Preprocessing

MAX_FACTOR = 4.0


@dataclass(frozen=True, kw_only=True)
class Canvas:
    """Sizes in pixels of the canvas and of the image on it, whose upper left corner is at (left, top)."""

    width: int
    height: int
    left: int = 0
    top: int = 0
    image_width: int
    image_height: int

    def place(self, boxes_xyxy: Float64[ndarray, "G 4"]) -> Float64[ndarray, "G 4"]:
        """Convert boxes from fractions of the image to fractions of the canvas."""
        scale = np.array([self.image_width, self.image_height] * 2)
        moved = boxes_xyxy * scale + np.array([self.left, self.top] * 2)
        placed: Float64[ndarray, "G 4"] = moved / np.array([self.width, self.height] * 2)
        return placed


def plain_canvas(width: int, height: int) -> Canvas:
    """Return the canvas that is the image itself."""
    return Canvas(width=width, height=height, image_width=width, image_height=height)


def draw_canvas(width: int, height: int, rng: np.random.Generator) -> Canvas:
    """Draw a random canvas for an image of this size."""
    if rng.random() > 0.5:
        return plain_canvas(width, height)
    factor = rng.uniform(1, MAX_FACTOR)
    canvas_width, canvas_height = int(width * factor), int(height * factor)
    return Canvas(
        width=canvas_width,
        height=canvas_height,
        left=int(rng.uniform(0, canvas_width - width)),
        top=int(rng.uniform(0, canvas_height - height)),
        image_width=width,
        image_height=height,
    )


def fill_colour(preprocessing: Preprocessing) -> tuple[int, int, int]:
    """Return the RGB of the empty canvas: the rounded mean of the preprocessing."""
    mean = preprocessing.mean if preprocessing.channel_order == "rgb" else preprocessing.mean[::-1]
    red, green, blue = (round(value) for value in mean)
    return red, green, blue
