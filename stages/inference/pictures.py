"""Pictures in the forms that users have them: a file, its bytes, a PIL image, an array or a tensor.

All become RGB pixels as stored. As in data sets, the EXIF orientation is not applied: boxes refer to stored pixels.

Tested in tests/stages/inference/test_predictor.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray
from torch import Tensor

from pipeline.errors import PipelineError
from ssd_core.data.images import decode_rgb
from stages.datasets.image_check import MOST_PIXELS, check_image

if TYPE_CHECKING:
    from PIL.Image import Image

    Picture = str | Path | bytes | Image | ndarray | Tensor

_DEEP = ("I", "F")
"""Modes of PIL with more than 8 bits, which its conversion to RGB cuts off instead of scaling."""


def is_one(pictures: Any) -> bool:
    """Whether this is a single picture, not several."""
    from PIL.Image import Image

    if isinstance(pictures, ndarray | Tensor):
        return pictures.ndim < 4
    return isinstance(pictures, str | Path | bytes | Image)


def name_of(picture: Picture) -> str:
    """The name to show for a picture: its path; empty if it has none."""
    if isinstance(picture, str | Path):
        return str(picture)
    return str(getattr(picture, "filename", "") or "")


def pixels_of(picture: Picture) -> UInt8[ndarray, "H W 3"]:
    """Return the RGB pixels. Raises PipelineError that names a picture which is broken or of another form."""
    try:
        return _pixels(picture)
    except (ValueError, OSError) as error:
        name = name_of(picture)
        raise PipelineError(f"{name}: {error}" if name else f"the picture cannot be used: {error}") from error


def _pixels(picture: Picture) -> UInt8[ndarray, "H W 3"]:
    from PIL.Image import Image

    match picture:
        case str() | Path():
            return _decoded(_content(Path(picture).expanduser()))
        case bytes():
            return _decoded(picture)
        case Image():
            return _from_pil(picture)
        case Tensor():
            return _checked(picture.detach().cpu().movedim(0, -1).numpy() if picture.ndim == 3 else picture.numpy())
        case ndarray():
            return _checked(picture)
    raise ValueError(f"{type(picture).__name__} is no picture: give a path, a PIL image, an array or a tensor")


def _content(file: Path) -> bytes:
    if file.is_dir():
        raise ValueError("a folder, not a picture: give its files, such as sorted(Path(...).glob('*.jpg'))")
    if not file.exists():
        raise ValueError("there is no such file")
    return file.read_bytes()


def _decoded(encoded: bytes) -> UInt8[ndarray, "H W 3"]:
    """Decode a complete image: a truncated one would be decoded with a grey rest."""
    if not encoded:
        raise ValueError("the file is empty")
    check_image(encoded)
    return decode_rgb(encoded)


def _from_pil(image: Image) -> UInt8[ndarray, "H W 3"]:
    if image.mode.startswith(_DEEP):
        raise ValueError(f"a PIL image of mode {image.mode} has no 8-bit pixels: scale them to 0..255 first")
    return _checked(np.asarray(image.convert("RGB")))


def _checked(pixels: ndarray) -> UInt8[ndarray, "H W 3"]:
    if pixels.dtype != np.uint8:
        raise ValueError(f"pixels must be uint8 in 0..255, but are {pixels.dtype}")
    if pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape:
        raise ValueError(
            f"an array must be (height, width, 3) and a tensor (3, height, width), RGB; this has {pixels.shape} "
            "as an array"
        )
    if pixels.shape[0] * pixels.shape[1] > MOST_PIXELS:
        raise ValueError(f"{pixels.shape[1]}x{pixels.shape[0]} pixels, but images are read up to {MOST_PIXELS:,}")
    return np.ascontiguousarray(pixels)
