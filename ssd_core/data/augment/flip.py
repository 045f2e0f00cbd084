"""Mirror left and right, with the probability 1/2 in training (paper section 2.2)."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float64, UInt8
from numpy import ndarray


def flip(image: UInt8[ndarray, "H W 3"]) -> UInt8[ndarray, "H W 3"]:
    """Mirrored copy."""
    mirrored: UInt8[ndarray, "H W 3"] = cv2.flip(image, 1)
    return mirrored


def flip_boxes(boxes_xyxy: Float64[ndarray, "G 4"]) -> Float64[ndarray, "G 4"]:
    """Boxes in fractions of the image."""
    left, top, right, bottom = boxes_xyxy.T
    return np.stack([1 - right, top, 1 - left, bottom], axis=1)
