"""Warp to the square input of the network; the aspect ratio is not kept (paper section 3.1; resize_param)."""

from __future__ import annotations

import cv2
from jaxtyping import UInt8
from numpy import ndarray

BILINEAR = int(cv2.INTER_LINEAR)
"""Of evaluation; without antialiasing."""


def resize(image: UInt8[ndarray, "H W 3"], size: int, interpolation: int = BILINEAR) -> UInt8[ndarray, "size size 3"]:
    """Square image of side `size`."""
    resized: UInt8[ndarray, "size size 3"] = cv2.resize(image, (size, size), interpolation=interpolation)
    return resized
