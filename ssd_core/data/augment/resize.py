"""Warp to the square input of the network; the aspect ratio is not kept (paper section 3.1; resize_param)."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

BILINEAR = int(cv2.INTER_LINEAR)
"""Of evaluation; without antialiasing."""

INTERPOLATIONS = tuple(
    int(mode) for mode in (cv2.INTER_LINEAR, cv2.INTER_AREA, cv2.INTER_NEAREST, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)
)


def draw_interpolation(rng: np.random.Generator) -> int:
    """One of OpenCV's five, each as likely as the others."""
    return INTERPOLATIONS[rng.integers(len(INTERPOLATIONS))]


def resize(image: UInt8[ndarray, "H W 3"], size: int, interpolation: int = BILINEAR) -> UInt8[ndarray, "size size 3"]:
    """Square image of side `size`."""
    resized: UInt8[ndarray, "size size 3"] = cv2.resize(image, (size, size), interpolation=interpolation)
    return resized
