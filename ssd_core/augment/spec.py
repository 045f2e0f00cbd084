"""Which steps of the paper's augmentation are on (section 2.2 "Data augmentation", section 3.6); no heavy imports."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """Steps in the order of the released code; each is what its module says."""

    photometric: bool = True
    expand: bool = False
    """Zoom out on a larger canvas before cropping: the models with a star, section 3.6."""

    crop: bool = True
    random_interpolation: bool = True
    """Resize by one of five interpolations (only in the code); bilinear when off."""

    flip: bool = True


PAPER = Augmentation()
STARRED = Augmentation(expand=True)

FLIP_ONLY = Augmentation(photometric=False, crop=False, random_interpolation=False)
"""Table 2 without "more data augmentation": the text names the original image and the flip, and nothing of colour."""
