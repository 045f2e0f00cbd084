"""Which steps of the paper's augmentation are on (section 2.2 "Data augmentation", section 3.6); no heavy imports.

Where paper, released code and its ports disagree, the reading is a field; its default is that of the released code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """Steps in the order of the released code; each is what its module says."""

    photometric: bool = True
    hue: Literal["opencv", "degrees"] = "opencv"
    """Hue moves by up to 18 to either side: in units of OpenCV's 8-bit hue (36 degrees), or in degrees, as in ports."""

    expand: bool = False
    """Zoom out on a larger canvas before cropping: the models with a star, section 3.6."""

    crop: bool = True
    crop_choice: Literal["among-succeeded", "drawn-first"] = "among-succeeded"
    """All samplers run and one of their patches is chosen; or, as the text reads, one sampler is drawn and runs."""

    crop_accepts: Literal["any", "all"] = "any"
    """Objects that a patch has to overlap enough; some ports ask all of them."""

    aspect_ratio: Literal["bounded", "clamped"] = "bounded"
    """Drawn within what fits the image at the scale (code at the time of the paper), or clamped to it (since 2017)."""

    random_interpolation: bool = True
    """Resize by one of five interpolations (only in the code); bilinear when off."""

    flip: bool = True


PAPER = Augmentation()
STARRED = Augmentation(expand=True)

FLIP_ONLY = Augmentation(photometric=False, crop=False, random_interpolation=False)
"""Table 2 without "more data augmentation": the text names the original image and the flip, and nothing of colour."""

FLIP_AND_COLOUR = Augmentation(crop=False, random_interpolation=False)
"""The same if the colours were distorted nevertheless, which the text leaves open."""
