"""The drawn parameters of one image's augmentation: all random numbers, in the order of the steps.

Tested in tests/ssd_core/data/augment/test_distributions.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float64
from numpy import ndarray

from ssd_core.data.augment.crop import WHOLE_XYXY, draw_patch
from ssd_core.data.augment.expand import Canvas, draw_canvas, plain_canvas
from ssd_core.data.augment.photometric import Distortion, draw_distortion
from ssd_core.data.images import BILINEAR
from ssd_core.spec.augmentation import Augmentation

INTERPOLATIONS = tuple(
    int(mode) for mode in (cv2.INTER_LINEAR, cv2.INTER_AREA, cv2.INTER_NEAREST, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)
)


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
