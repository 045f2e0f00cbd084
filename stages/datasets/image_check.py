"""Check that an encoded image is complete and that a training can decode it, and read its size. Its bytes never change.

The number of pixels is read from the header first. Pillow refuses a truncated JPEG, the rest of which OpenCV before 5
silently fills with grey. It decodes a JPEG at an eighth of its size, which reads all of its data at twice the speed.
OpenCV, the decoder of trainings, reads any JPEG that Pillow reads, since both use libjpeg-turbo; other formats have
different decoders and are decoded by both.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stages.datasets.defects import Kind

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "TIFF")
"""Accepted formats: those that OpenCV decodes too."""

SUFFIXES = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".bmp": "BMP",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}


MOST_PIXELS = 100_000_000
"""Largest image, 100 megapixels: 300 MB of RGB in every loader process. Cameras of data sets have up to 60; a file of a
few KB can declare a thousand times more, and Pillow's own limit, 179 megapixels, does not protect the training."""

ORIENTATION = 0x0112
"""EXIF tag; values from 5 on swap width and height."""


@dataclass(frozen=True, kw_only=True)
class CheckedImage:
    """Properties of an image as stored: an EXIF orientation is not applied, since boxes refer to stored pixels."""

    width: int
    height: int
    format: str
    oddities: tuple[Kind, ...] = ()
    """What is lost or converted when the image is decoded to 8-bit RGB."""

    orientation: int = 1
    """EXIF orientation, from 1 (upright) to 8."""


def check_image(encoded: bytes) -> CheckedImage:
    """Decode the image to its last byte. Raises ValueError with the reason when it is incomplete or unreadable.

    An image of more than `MOST_PIXELS` is refused by its header, without decoding it.
    """
    checked = _read(encoded)
    if checked.format != "JPEG":
        _decode_for_training(encoded, checked)
    return checked


def _read(encoded: bytes) -> CheckedImage:
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(encoded), formats=FORMATS)
            width, height = image.size
            if width * height > MOST_PIXELS:
                raise ValueError(f"{width}x{height} pixels, but images are read up to {MOST_PIXELS:,}")
            oddities = _oddities(image)  # before decoding, which reduces 16 bits to 8
            image.draft(None, (1, 1))
            image.load()
            orientation = _orientation(image)
    except Exception as error:  # broken files make Pillow raise errors of any type
        raise ValueError(str(error).partition(" <_io")[0]) from error
    # MPO: a JPEG followed by further pictures, as some cameras write it
    name = "JPEG" if image.format == "MPO" else str(image.format)
    return CheckedImage(width=width, height=height, format=name, oddities=oddities, orientation=orientation)


def _decode_for_training(encoded: bytes, checked: CheckedImage) -> None:
    import cv2

    from ssd_core.data.images import decode_rgb

    try:
        height, width = decode_rgb(encoded).shape[:2]
    except (ValueError, cv2.error) as error:
        raise ValueError(f"a {checked.format} that OpenCV, which decodes for training, cannot read") from error
    if (width, height) != (checked.width, checked.height):
        raise ValueError(f"OpenCV decodes {width}x{height} pixels, Pillow {checked.width}x{checked.height}")


_MODES = {"P": Kind.PALETTE, "PA": Kind.PALETTE, "CMYK": Kind.CMYK, "L": Kind.GREY, "LA": Kind.GREY, "1": Kind.GREY}


def _oddities(image: Image) -> tuple[Kind, ...]:
    found = [_MODES[image.mode]] if image.mode in _MODES else []
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        found.append(Kind.ALPHA)
    tiles: list[Any] = getattr(image, "tile", [])
    if image.mode.startswith("I") or any("16" in str(tile[3]) for tile in tiles):  # I;16, RGB;16B
        found.append(Kind.DEEP)
    return tuple(found)


def _orientation(image: Image) -> int:
    if not image.info.get("exif"):
        return 1
    try:
        value = image.getexif().get(ORIENTATION, 1)
    except Exception:  # broken EXIF raises whatever its parser runs into
        return 1
    return value if value in range(1, 9) else 1
