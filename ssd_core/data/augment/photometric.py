"""Colour distortion of 8-bit images, saturating after every step (ApplyDistort in im_transforms.cpp).

Each of the four steps has probability 1/2. Saturation and hue operate on OpenCV's 8-bit HSV, whose hue has units of two
degrees; a hue below 0 saturates at 0, one above 179 wraps around. Channels are never swapped: the released script sets
the probability of that to 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
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
    """Distort an RGB image. A step that changes nothing is skipped, since converting to HSV and back is lossy.

    Steps that follow each other share one pass: brightness and contrast one table, saturation and hue one conversion.
    """
    has_colour = distortion.saturation != 1 or distortion.hue != 0
    tables = [_table(1.0, distortion.brightness)] if distortion.brightness != 0 else []
    contrast = [_table(distortion.contrast, 0.0)] if distortion.contrast != 1 else []
    if distortion.contrast_first or not has_colour:
        tables, contrast = tables + contrast, []
    image = _looked_up(image, tables)
    return _looked_up(_change_colour(image, distortion), contrast) if has_colour else image


def _table(factor: float, offset: float) -> UInt8[ndarray, " 256"]:
    """Return the lookup table of value * factor + offset, rounded (half to even, as in OpenCV) and saturated."""
    table: UInt8[ndarray, " 256"] = np.clip(np.rint(np.arange(256) * factor + offset), 0, 255).astype(np.uint8)
    return table


def _looked_up(image: UInt8[ndarray, "H W 3"], tables: list[UInt8[ndarray, " 256"]]) -> UInt8[ndarray, "H W 3"]:
    """Apply tables one after the other, in one pass."""
    if not tables:
        return image
    changed: UInt8[ndarray, "H W 3"] = cv2.LUT(image, reduce(lambda first, second: second[first], tables))
    return changed


def _change_colour(image: UInt8[ndarray, "H W 3"], distortion: Distortion) -> UInt8[ndarray, "H W 3"]:
    """Change saturation and hue; they are channels of their own, so their order is free."""
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    if distortion.saturation != 1:
        _change_channel(hsv, SATURATION, _table(distortion.saturation, 0.0))
    if distortion.hue != 0:
        _change_channel(hsv, HUE, _table(1.0, distortion.hue))
    changed: UInt8[ndarray, "H W 3"] = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)
    return changed


def _change_channel(image: UInt8[ndarray, "H W 3"], channel: int, table: UInt8[ndarray, " 256"]) -> None:
    cv2.insertChannel(cv2.LUT(cv2.extractChannel(image, channel), table), image, channel)
