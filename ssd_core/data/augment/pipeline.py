"""All steps on one image: distort, expand, crop, resize, flip (annotated_data_layer.cpp, data_transformer.cpp).

All random numbers are drawn first, in the order of the steps; then the pixels are processed once. Distortion is a
pixel-wise operation, so it is applied after cropping, and only the visible part of the canvas is rendered: the same
result for a fraction of the work. (OpenCV's vector and scalar conversions from HSV round differently, so single values
near the ends of rows may differ by a level or two from a conversion of the whole image.) The original re-encodes images
as JPEG after distorting, expanding and cropping; here they are not re-encoded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Float64, Int, UInt8
from numpy import ndarray

from ssd_core.data.augment.crop import WHOLE_XYXY, draw_patch, objects_in, pixel_window
from ssd_core.data.augment.expand import Canvas, draw_canvas, plain_canvas
from ssd_core.data.augment.photometric import Distortion, distort, draw_distortion
from ssd_core.data.images import BILINEAR, resize
from ssd_core.spec.augmentation import Augmentation

INTERPOLATIONS = tuple(
    int(mode) for mode in (cv2.INTER_LINEAR, cv2.INTER_AREA, cv2.INTER_NEAREST, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)
)


class Augmented(NamedTuple):
    """An augmented image and the objects in it."""

    image: UInt8[ndarray, "size size 3"]
    boxes_xyxy: Float64[ndarray, "M 4"]
    """Fractions of the image, within [0, 1]."""

    kept: Int[ndarray, " M"]
    """Indices of the remaining objects among those of the original image."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The drawn parameters of one image's augmentation."""

    distortion: Distortion
    canvas: Canvas
    patch_xyxy: Float64[ndarray, " 4"]
    """Fractions of the canvas."""

    interpolation: int
    flip: bool


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


def draw_plan(
    width: int, height: int, boxes_xyxy: Float64[ndarray, "G 4"], augmentation: Augmentation, rng: np.random.Generator
) -> Plan:
    """Draw all random numbers for one image; disabled steps draw none."""
    distortion = draw_distortion(rng, augmentation.hue) if augmentation.photometric else Distortion()
    canvas = draw_canvas(width, height, rng) if augmentation.expand else plain_canvas(width, height)
    return Plan(
        distortion=distortion,
        canvas=canvas,
        patch_xyxy=draw_patch(canvas.place(boxes_xyxy), rng, augmentation) if augmentation.crop else WHOLE_XYXY,
        interpolation=draw_interpolation(rng) if augmentation.random_interpolation else BILINEAR,
        flip=bool(augmentation.flip and rng.random() < 0.5),
    )


def draw_interpolation(rng: np.random.Generator) -> int:
    """Draw one of OpenCV's five interpolations uniformly."""
    return INTERPOLATIONS[rng.integers(len(INTERPOLATIONS))]


def render(
    image: UInt8[ndarray, "H W 3"], plan: Plan, size: int, fill_rgb: tuple[int, int, int]
) -> UInt8[ndarray, "size size 3"]:
    """Apply a plan to the pixels."""
    resized = resize(_cut(image, plan, fill_rgb), size, plan.interpolation)
    return flip(resized) if plan.flip else resized


def _cut(image: UInt8[ndarray, "H W 3"], plan: Plan, fill_rgb: tuple[int, int, int]) -> UInt8[ndarray, "h w 3"]:
    """Crop the patch: distorted where it shows the image, filled where it shows the empty canvas."""
    canvas = plan.canvas
    window = pixel_window(plan.patch_xyxy, canvas.width, canvas.height)
    left, top, right, bottom = (
        edge - origin for edge, origin in zip(window, (canvas.left, canvas.top) * 2, strict=True)
    )
    rows = slice(max(top, 0), min(bottom, canvas.image_height))
    columns = slice(max(left, 0), min(right, canvas.image_width))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return np.full((bottom - top, right - left, 3), fill_rgb, np.uint8)
    visible = distort(image[rows, columns], plan.distortion)
    borders = (rows.start - top, bottom - rows.stop, columns.start - left, right - columns.stop)
    if not any(borders):
        return visible
    patch: UInt8[ndarray, "h w 3"] = cv2.copyMakeBorder(visible, *borders, cv2.BORDER_CONSTANT, value=fill_rgb)
    return patch


def flip(image: UInt8[ndarray, "H W 3"]) -> UInt8[ndarray, "H W 3"]:
    """Return a horizontally mirrored copy."""
    mirrored: UInt8[ndarray, "H W 3"] = cv2.flip(image, 1)
    return mirrored


def flip_boxes(boxes_xyxy: Float64[ndarray, "G 4"]) -> Float64[ndarray, "G 4"]:
    """Mirror boxes in fractions of the image."""
    left, top, right, bottom = boxes_xyxy.T
    return np.stack([1 - right, top, 1 - left, bottom], axis=1)
