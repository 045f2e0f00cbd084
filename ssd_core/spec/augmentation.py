"""Switches for the steps of the paper's augmentation (section 2.2 "Data augmentation", section 3.6); no heavy imports.

Where paper, released code and its ports disagree, the interpretation is a field; its default follows the released code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """Steps in the order of the released code; the modules of `ssd_core.data.augment` describe each."""

    photometric: bool = True
    hue: Literal["opencv", "degrees"] = "opencv"
    """Unit of the hue shift of up to 18 either way: OpenCV's 8-bit hue (36 degrees), or degrees, as in ports."""

    expand: bool = False
    """Zoom out onto a larger canvas before cropping: the starred models of section 3.6."""

    crop: bool = True
    crop_choice: Literal["among-succeeded", "drawn-first"] = "among-succeeded"
    """Run all samplers and choose one of their patches; or, as the text reads, draw one sampler and run it."""

    crop_accepts: Literal["any", "all"] = "any"
    """Whether a patch must overlap any object enough or, as in some ports, all of them."""

    aspect_ratio: Literal["bounded", "clamped"] = "bounded"
    """Draw within the ratios that fit the image at the scale (code at the time of the paper), or clamp to them (since
    2017)."""

    random_interpolation: bool = True
    """Resize with one of five interpolations (only in the code); bilinear when off."""

    flip: bool = True


PAPER = Augmentation()
STARRED = Augmentation(expand=True)

FLIP_ONLY = Augmentation(photometric=False, crop=False, random_interpolation=False)
"""Table 2 without "more data augmentation": the text names the original image and the flip, and does not mention
colour."""

FLIP_AND_COLOUR = Augmentation(crop=False, random_interpolation=False)
"""FLIP_ONLY with colour distortion, which the text leaves open."""
