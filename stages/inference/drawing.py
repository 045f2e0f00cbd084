"""Boxes drawn on a picture, pixel by pixel: one colour per class, a label that covers neither its box nor others.

Lines are thin on small objects, and edged with dark so that they show on any background.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray

from stages.figures.style import class_colour, ink_on

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

SMALLEST = 480
"""A picture whose longer side is shorter is magnified by a whole factor to at least this."""

TEXT = (12, 32)
"""Smallest and largest height of labels, in pixels of the drawn picture."""

Corners = tuple[float, float, float, float]


def draw_boxes(
    pixels: UInt8[ndarray, "H W 3"], boxes_xyxy: Float[ndarray, "N 4"], labels: Sequence[int], texts: Sequence[str]
) -> Image:
    """Draw detections that are ordered by descending score; the best is on top and is labelled first."""
    from PIL import Image, ImageDraw

    factor = -(-SMALLEST // max(pixels.shape[:2]))
    image = Image.fromarray(pixels)
    image = image.resize((image.width * factor, image.height * factor), Image.Resampling.BICUBIC)
    brush = ImageDraw.Draw(image)
    boxes = [_inside(box, image.size) for box in (boxes_xyxy * factor).tolist()]
    font = _font(text_height(image.size))
    places: list[Corners] = []
    for box, text in zip(boxes, texts, strict=True):
        places.append(label_place(box, brush.textbbox((0, 0), text, font=font, anchor="lt"), image.size, places))
    for number in reversed(range(len(boxes))):
        _draw_box(brush, boxes[number], _rgb(labels[number]), line_width(boxes[number], image.size))
    for number in reversed(range(len(boxes))):
        _draw_label(brush, places[number], texts[number], labels[number], font)
    return image


def line_width(box_xyxy: Corners, size: tuple[int, int]) -> int:
    """A 300th of the picture, but at most a 24th of a small object's shorter side, and at least a pixel."""
    shorter = min(box_xyxy[2] - box_xyxy[0], box_xyxy[3] - box_xyxy[1])
    return max(1, round(min(max(size) / 300, shorter / 24)))


def text_height(size: tuple[int, int]) -> int:
    return int(min(max(max(size) / 48, TEXT[0]), TEXT[1]))


def label_place(
    box_xyxy: Corners, text: tuple[float, float, float, float], size: tuple[int, int], taken: Sequence[Corners]
) -> Corners:
    """Where a label goes: above its box, below it, or inside, whichever first overlaps no label and fits the picture.

    Where all overlap a label, the place with the smallest overlap.
    """
    pad = max(2, round(text[3] / 6))
    width, height = text[2] + 2 * pad, text[3] + 2 * pad
    left, top, right, bottom = box_xyxy
    x = {"left": min(left, size[0] - width), "right": max(right - width, 0)}
    candidates = [
        (x["left"], top - height), (x["left"], bottom), (x["right"], top - height), (x["right"], bottom),
        (x["left"], top), (x["left"], bottom - height), (x["right"], top), (x["right"], bottom - height),
    ]  # fmt: skip
    places = [(max(at, 0), y, max(at, 0) + width, y + height) for at, y in candidates if 0 <= y <= size[1] - height]
    if not places:
        return max(candidates[0][0], 0), 0, max(candidates[0][0], 0) + width, height
    return min(places, key=lambda place: sum(_overlap(place, other) for other in taken))


def cut_out(pixels: UInt8[ndarray, "H W 3"], boxes_xyxy: Float[ndarray, "N 4"]) -> list[Image]:
    """The part of the picture inside each box, at least one pixel."""
    from PIL import Image

    height, width = pixels.shape[:2]
    cuts = []
    for left, top, right, bottom in boxes_xyxy.tolist():
        x, y = (int(min(max(start, 0), end - 1)) for start, end in ((left, width), (top, height)))
        cuts.append(Image.fromarray(pixels[y : max(int(np.ceil(bottom)), y + 1), x : max(int(np.ceil(right)), x + 1)]))
    return cuts


def encoded(image: Image, form: str = "JPEG") -> bytes:
    """The picture as a file, a JPEG without colour subsampling, which would blur thin lines."""
    stream = io.BytesIO()
    image.save(stream, form, **({"quality": 90, "subsampling": 0} if form == "JPEG" else {}))
    return stream.getvalue()


def _inside(box_xyxy: Sequence[float], size: tuple[int, int]) -> Corners:
    """The box clipped to the picture."""
    left, top, right, bottom = (
        min(max(value, 0), end - 1) for value, end in zip(box_xyxy, (*size, *size), strict=True)
    )
    return left, top, max(left, right), max(top, bottom)


def _overlap(one: Corners, other: Corners) -> float:
    """Area in common."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0) * max(height, 0)


def _draw_box(brush: ImageDraw, box_xyxy: Corners, colour: tuple[int, int, int], width: int) -> None:
    left, top, right, bottom = (round(value) for value in box_xyxy)
    if width > 1:
        brush.rectangle((left - 1, top - 1, right + 1, bottom + 1), outline="black", width=width + 2)
    brush.rectangle((left, top, right, bottom), outline=colour, width=width)


def _draw_label(brush: ImageDraw, place: Corners, text: str, label: int, font: Any) -> None:
    brush.rectangle(place, fill=_rgb(label))
    middle = (place[0] + place[2]) / 2, (place[1] + place[3]) / 2
    brush.text(middle, text, fill=ink_on(class_colour(label)), font=font, anchor="mm")


def _rgb(label: int) -> tuple[int, int, int]:
    red, green, blue = (round(255 * value) for value in class_colour(label))
    return red, green, blue


@cache
def _font(height: int) -> Any:
    """DejaVu Sans, which comes with matplotlib and has the letters of most alphabets."""
    import matplotlib as mpl
    from PIL import ImageFont

    return ImageFont.truetype(str(Path(mpl.get_data_path()) / "fonts/ttf/DejaVuSans.ttf"), height)
