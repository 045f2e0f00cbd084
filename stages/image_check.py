"""Is an encoded image whole, and how large is it? Its bytes are never changed.

OpenCV before 5 fills the rest of a truncated JPEG with grey and says nothing; Pillow refuses it. A JPEG is
decoded at an eighth of its size: all of its data are read, at twice the speed.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass

FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "TIFF")
"""Formats that OpenCV decodes too."""

SUFFIXES = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".bmp": "BMP",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}


@dataclass(frozen=True, kw_only=True)
class CheckedImage:
    """Size in pixels as stored: an EXIF orientation is not applied, for boxes refer to stored pixels."""

    width: int
    height: int
    format: str


def check_image(encoded: bytes) -> CheckedImage:
    """Decode to the last byte. Raises ValueError with the reason when the image is not whole."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(encoded), formats=FORMATS)
            width, height = image.size
            image.draft(None, (1, 1))
            image.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:  # Pillow raises all of them
        raise ValueError(str(error).partition(" <_io")[0]) from error
    # MPO: a JPEG followed by further pictures, as some cameras write it
    return CheckedImage(width=width, height=height, format="JPEG" if image.format == "MPO" else str(image.format))
