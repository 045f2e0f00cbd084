"""Zoom out: the image at a random place of a larger canvas (paper section 3.6; ExpandImage in data_transformer.cpp).

With the probability 1/2 both sides grow by the same factor U(1, 4), an area of up to 16; the rest of the canvas is
filled with the mean that the network subtracts, so it is zero there.
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
    """Size of the canvas, and of the image on it, whose upper left corner lies at (left, top); pixels."""

    width: int
    height: int
    left: int = 0
    top: int = 0
    image_width: int
    image_height: int

    def place(self, boxes_xyxy: Float64[ndarray, "G 4"]) -> Float64[ndarray, "G 4"]:
        """Boxes from fractions of the image to fractions of the canvas."""
        scale = np.array([self.image_width, self.image_height] * 2)
        moved = boxes_xyxy * scale + np.array([self.left, self.top] * 2)
        placed: Float64[ndarray, "G 4"] = moved / np.array([self.width, self.height] * 2)
        return placed


def plain_canvas(width: int, height: int) -> Canvas:
    """The image itself."""
    return Canvas(width=width, height=height, image_width=width, image_height=height)


def draw_canvas(width: int, height: int, rng: np.random.Generator) -> Canvas:
    """Random canvas for an image of this size."""
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
    """RGB of the empty canvas: the mean of the network's input, rounded."""
    mean = preprocessing.mean if preprocessing.channel_order == "rgb" else preprocessing.mean[::-1]
    red, green, blue = (round(value) for value in mean)
    return red, green, blue
