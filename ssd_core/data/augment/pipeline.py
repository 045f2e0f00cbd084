"""All steps on one image: distort, expand, crop, resize, flip (annotated_data_layer.cpp, data_transformer.cpp).

All random numbers are drawn first, in the order of the steps; then the pixels are processed once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int, UInt8
from numpy import ndarray

from ssd_core.data.augment.crop import objects_in
from ssd_core.data.augment.plan import draw_plan
from ssd_core.data.augment.render import render
from ssd_core.spec.augmentation import Augmentation


class Augmented(NamedTuple):
    """An augmented image and the objects in it."""

    image: UInt8[ndarray, "size size 3"]
    boxes_xyxy: Float64[ndarray, "M 4"]
    """Fractions of the image, within [0, 1]."""

    kept: Int[ndarray, " M"]
    """Indices of the remaining objects among those of the original image."""


def augment(
    image: UInt8[ndarray, "H W 3"],
    boxes_xyxy: Float64[ndarray, "G 4"],
    augmentation: Augmentation,
    *,
    size: int,
    fill_rgb: tuple[int, int, int],
    rng: np.random.Generator,
) -> Augmented:
    """Augment an RGB image with boxes in fractions of it; `size` is the output side."""
    height, width = image.shape[:2]
    plan = draw_plan(width, height, boxes_xyxy, augmentation, rng)
    boxes_xyxy, kept = objects_in(plan.patch_xyxy, plan.canvas.place(boxes_xyxy))
    return Augmented(render(image, plan, size, fill_rgb), flip_boxes(boxes_xyxy) if plan.flip else boxes_xyxy, kept)


def flip_boxes(boxes_xyxy: Float64[ndarray, "G 4"]) -> Float64[ndarray, "G 4"]:
    """Mirror boxes in fractions of the image."""
    left, top, right, bottom = boxes_xyxy.T
    return np.stack([1 - right, top, 1 - left, bottom], axis=1)
