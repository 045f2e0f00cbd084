"""All steps on one image: distort, expand, crop, resize, flip (annotated_data_layer.cpp, data_transformer.cpp).

All random numbers are drawn first, in the order of the steps; then the pixels that show the image are processed once,
and the rest is filled. The empty canvas, up to 15 times as large as the image, is neither built nor resized:
`shown_part` has the arithmetic. Distortion is a pixel-wise operation, so only what the patch shows is distorted, after
resizing where that copies pixels and leaves fewer. (OpenCV's vector and scalar conversions from HSV round differently,
so single values near the ends of rows may differ by a level or two from a conversion of the whole image.) The original
re-encodes images as JPEG after distorting, expanding and cropping; here they are not re-encoded.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Float64, Int, UInt, UInt8
from numpy import ndarray

from ssd_core.data.augment.crop import WHOLE_XYXY, draw_patch, objects_in, pixel_window
from ssd_core.data.augment.expand import Canvas, draw_canvas, plain_canvas
from ssd_core.data.augment.photometric import Distortion, distort, draw_distortion
from ssd_core.data.augment.shown_part import Side, shown_part
from ssd_core.data.images import BILINEAR
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


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The drawn parameters of one image's augmentation."""

    distortion: Distortion
    canvas: Canvas
    patch_xyxy: Float64[ndarray, " 4"]
    """Fractions of the canvas."""

    interpolation: int
    flip: bool


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
    """Apply a plan to the pixels of an RGB image; `size` is the output side."""
    columns, rows = _sides(plan)
    if columns.is_empty or rows.is_empty:
        return _empty(size, fill_rgb).copy()
    shown = image[rows.image, columns.image]
    if columns.is_full and rows.is_full:
        square = _resized_whole(shown, plan, size)
    else:
        square = _placed(distort(shown, plan.distortion), columns, rows, plan, size, fill_rgb)
    return flip(square) if plan.flip else square


def _sides(plan: Plan) -> tuple[Side, Side]:
    """Return the columns and rows of the patch."""
    canvas = plan.canvas
    left, top, right, bottom = pixel_window(plan.patch_xyxy, canvas.width, canvas.height)
    return (
        Side(start=left - canvas.left, stop=right - canvas.left, image_size=canvas.image_width),
        Side(start=top - canvas.top, stop=bottom - canvas.top, image_size=canvas.image_height),
    )


def _resized_whole(shown: UInt8[ndarray, "h w 3"], plan: Plan, size: int) -> UInt8[ndarray, "size size 3"]:
    scales = size / shown.shape[1], size / shown.shape[0]
    if plan.interpolation == cv2.INTER_NEAREST and shown.shape[0] * shown.shape[1] > size**2:
        return distort(_resized(shown, plan.interpolation, scales), plan.distortion)
    return _resized(distort(shown, plan.distortion), plan.interpolation, scales)


def _placed(
    shown: UInt8[ndarray, "h w 3"],
    columns: Side,
    rows: Side,
    plan: Plan,
    size: int,
    fill_rgb: tuple[int, int, int],
) -> UInt8[ndarray, "size size 3"]:
    """Resize what shows the image, with a border of the canvas, into a filled square."""
    across, down = (shown_part(side, size, plan.interpolation) for side in (columns, rows))
    bordered = cv2.copyMakeBorder(shown, *down.border, *across.border, cv2.BORDER_CONSTANT, value=fill_rgb)
    resized = _resized(bordered, plan.interpolation, (size / columns.extent, size / rows.extent))
    resized = resized[: size - down.first, : size - across.first]
    square = _empty(size, fill_rgb).copy()
    square[down.first : down.first + resized.shape[0], across.first : across.first + resized.shape[1]] = resized
    return square


def _resized(
    image: UInt8[ndarray, "h w 3"], interpolation: int, scales: tuple[float, float]
) -> UInt8[ndarray, "h2 w2 3"]:
    """Resize by the scales of columns and rows; OpenCV's Lanczos is vectorised for 16 bits, not for 8."""
    is_lanczos = interpolation == cv2.INTER_LANCZOS4
    source = image.astype(np.uint16) if is_lanczos else image
    resized: UInt[ndarray, "h2 w2 3"] = cv2.resize(
        source, None, fx=scales[0], fy=scales[1], interpolation=interpolation
    )
    return np.minimum(resized, 255).astype(np.uint8) if is_lanczos else resized


@lru_cache(maxsize=8)
def _empty(size: int, fill_rgb: tuple[int, int, int]) -> UInt8[ndarray, "size size 3"]:
    """Return an output of empty canvas, not to be changed: copying it takes a hundredth of the time of filling one."""
    return np.full((size, size, 3), fill_rgb, np.uint8)


def flip(image: UInt8[ndarray, "H W 3"]) -> UInt8[ndarray, "H W 3"]:
    """Return a horizontally mirrored copy."""
    mirrored: UInt8[ndarray, "H W 3"] = cv2.flip(image, 1)
    return mirrored


def flip_boxes(boxes_xyxy: Float64[ndarray, "G 4"]) -> Float64[ndarray, "G 4"]:
    """Mirror boxes in fractions of the image."""
    left, top, right, bottom = boxes_xyxy.T
    return np.stack([1 - right, top, 1 - left, bottom], axis=1)
