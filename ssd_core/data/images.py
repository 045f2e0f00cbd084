"""Decoding of images to RGB pixels, and resizing to the square input of the network.

All images are treated alike: grey, palette, CMYK and 16-bit become 3 x 8 bit; alpha is dropped. The EXIF orientation is
ignored, since boxes refer to the stored pixels.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

BILINEAR = int(cv2.INTER_LINEAR)
"""Interpolation of evaluation; without antialiasing."""

_FLAGS = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION


def decode_rgb(encoded: bytes) -> UInt8[ndarray, "H W 3"]:
    """Decode JPEG, PNG, BMP and any other format that OpenCV reads. Raises ValueError if it cannot.

    A truncated JPEG is not rejected here: its missing part is grey. Sharding checks for that.
    """
    rgb: UInt8[ndarray, "H W 3"] | None = cv2.imdecode(np.frombuffer(encoded, np.uint8), _FLAGS) if encoded else None
    if rgb is None:
        raise ValueError(f"{len(encoded)} bytes starting with {encoded[:8]!r} are not a readable image")
    return rgb


def resize(image: UInt8[ndarray, "H W 3"], size: int, interpolation: int = BILINEAR) -> UInt8[ndarray, "size size 3"]:
    """Warp to a square of side `size`; the aspect ratio is not kept (paper section 3.1; resize_param)."""
    resized: UInt8[ndarray, "size size 3"] = cv2.resize(image, (size, size), interpolation=interpolation)
    return resized
