"""Colour distortion of 8-bit images, saturating after every step (ApplyDistort in im_transforms.cpp).

Each of the four has the probability 1/2. Saturation and hue work on OpenCV's 8-bit HSV, whose hue has units
of two degrees; a hue that falls below 0 stays at 0, one that rises above 179 goes round. Channels are never swapped:
the released script gives that the probability 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

MAX_BRIGHTNESS = 32.0
FACTORS = (0.5, 1.5)
"""Of contrast and of saturation."""

MAX_HUE = {"opencv": 18.0, "degrees": 9.0}
"""In OpenCV's units, by what the 18 of the released script are taken for."""

HUE, SATURATION = 0, 1


@dataclass(frozen=True, kw_only=True)
class Distortion:
    """What happens to the colours of one image; the defaults change nothing."""

    brightness: float = 0.0
    contrast: float = 1.0
    saturation: float = 1.0
    hue: float = 0.0
    contrast_first: bool = True
    """Contrast before saturation and hue, or after them."""


def draw_distortion(rng: np.random.Generator, hue_unit: Literal["opencv", "degrees"] = "opencv") -> Distortion:
    """Random distortion."""
    chosen = rng.random(4) < 0.5
    brightness, hue = rng.uniform(-1, 1, 2) * (MAX_BRIGHTNESS, MAX_HUE[hue_unit])
    contrast, saturation = rng.uniform(*FACTORS, 2)
    return Distortion(
        brightness=brightness if chosen[0] else 0.0,
        contrast=contrast if chosen[1] else 1.0,
        saturation=saturation if chosen[2] else 1.0,
        hue=hue if chosen[3] else 0.0,
        contrast_first=bool(rng.random() > 0.5),
    )


def distort(image: UInt8[ndarray, "H W 3"], distortion: Distortion) -> UInt8[ndarray, "H W 3"]:
    """RGB to RGB. A step that changes nothing is left out, since HSV and back is not the identity."""
    if distortion.brightness != 0:
        image = cv2.LUT(image, _table(1.0, distortion.brightness))
    if distortion.contrast != 1 and distortion.contrast_first:
        image = cv2.LUT(image, _table(distortion.contrast, 0.0))
    if distortion.saturation != 1:
        image = _change_hsv(image, SATURATION, _table(distortion.saturation, 0.0))
    if distortion.hue != 0:
        image = _change_hsv(image, HUE, _table(1.0, distortion.hue))
    if distortion.contrast != 1 and not distortion.contrast_first:
        image = cv2.LUT(image, _table(distortion.contrast, 0.0))
    return image


def _table(factor: float, offset: float) -> UInt8[ndarray, " 256"]:
    """Every 8-bit value times `factor` plus `offset`, rounded (half to even, as OpenCV does) and saturated."""
    table: UInt8[ndarray, " 256"] = np.clip(np.rint(np.arange(256) * factor + offset), 0, 255).astype(np.uint8)
    return table


def _change_hsv(image: UInt8[ndarray, "H W 3"], channel: int, table: UInt8[ndarray, " 256"]) -> UInt8[ndarray, "H W 3"]:
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    hsv[..., channel] = cv2.LUT(hsv[..., channel], table)
    changed: UInt8[ndarray, "H W 3"] = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)
    return changed
