"""Colour distortion of 8-bit images, saturating after every step (ApplyDistort in im_transforms.cpp).

Each of the four steps has probability 1/2. Saturation and hue operate on OpenCV's 8-bit HSV, whose hue has units of two
degrees; a hue below 0 saturates at 0, one above 179 wraps around. Channels are never swapped: the released script sets
the probability of that to 0.
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
"""Range of the factors of contrast and saturation."""

MAX_HUE = {"opencv": 18.0, "degrees": 9.0}
"""Largest hue shift in OpenCV's units, by the unit assumed for the released script's 18."""

HUE, SATURATION = 0, 1


@dataclass(frozen=True, kw_only=True)
class Distortion:
    """Parameters of one image's colour distortion; the defaults change nothing."""

    brightness: float = 0.0
    contrast: float = 1.0
    saturation: float = 1.0
    hue: float = 0.0
    contrast_first: bool = True
    """Whether contrast comes before saturation and hue, or after them."""


def draw_distortion(rng: np.random.Generator, hue_unit: Literal["opencv", "degrees"] = "opencv") -> Distortion:
    """Draw a random distortion."""
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
    """Distort an RGB image. A step that changes nothing is skipped, since converting to HSV and back is lossy."""
    if distortion.brightness != 0:
        image = _shifted(image, distortion.brightness)
    if distortion.contrast != 1 and distortion.contrast_first:
        image = _scaled(image, distortion.contrast)
    if distortion.saturation != 1 or distortion.hue != 0:
        image = _change_colour(image, distortion)
    if distortion.contrast != 1 and not distortion.contrast_first:
        image = _scaled(image, distortion.contrast)
    return image


def _change_colour(image: UInt8[ndarray, "H W 3"], distortion: Distortion) -> UInt8[ndarray, "H W 3"]:
    """Change saturation and hue by one conversion to HSV and back; each has a channel, so their order is free."""
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    if distortion.saturation != 1:
        cv2.insertChannel(_scaled(cv2.extractChannel(hsv, SATURATION), distortion.saturation), hsv, SATURATION)
    if distortion.hue != 0:
        cv2.insertChannel(_shifted(cv2.extractChannel(hsv, HUE), distortion.hue), hsv, HUE)
    changed: UInt8[ndarray, "H W 3"] = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)
    return changed


def _scaled(values: UInt8[ndarray, "H W *C"], factor: float) -> UInt8[ndarray, "H W *C"]:
    """Return value * factor, rounded (half to even) and saturated; several times as fast as a lookup table."""
    scaled: UInt8[ndarray, "H W *C"] = cv2.convertScaleAbs(values, alpha=factor)
    return scaled


def _shifted(values: UInt8[ndarray, "H W *C"], offset: float) -> UInt8[ndarray, "H W *C"]:
    """Return value + offset, rounded and saturated."""
    shifted: UInt8[ndarray, "H W *C"] = cv2.add(values, (round(offset),) * 3 + (0,))
    return shifted
