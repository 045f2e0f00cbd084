"""One VOC annotation file: XML to objects, and what becomes of a box that is not sound.

Boxes are (xmin, ymin, xmax, ymax) in pixels as annotated: 1-based, inclusive corners in VOC, 0-based in
many other sets; nothing is subtracted. A box lies inside an image of W x H when 0 <= xmin and xmax <= W.
"""

from __future__ import annotations

import math
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass

from stages.records import Box, Kind


@dataclass(frozen=True, kw_only=True)
class AnnotatedObject:
    """One `<object>`."""

    name: str
    box_xyxy: Box | None
    """None when the file does not give four finite numbers."""

    difficult: bool = False


@dataclass(frozen=True, kw_only=True)
class Annotation:
    """One file."""

    size: tuple[int, int] | None
    """Width and height as the file states them; often wrong."""

    objects: tuple[AnnotatedObject, ...]


def parse(xml: bytes) -> Annotation:
    """Read an annotation file. Raises ValueError when it is not well-formed XML."""
    try:
        root = ElementTree.fromstring(xml)
    except (ElementTree.ParseError, LookupError) as error:  # LookupError: an encoding that nobody knows
        raise ValueError(str(error)) from error
    return Annotation(
        size=_size(root.find("size")),
        objects=tuple(_object(element) for element in root.iterfind("object")),
    )


def mended(box_xyxy: Box | None, width: int, height: int) -> tuple[Box | None, list[tuple[Kind, str]]]:
    """The box as it goes to training, or None when it cannot; and each defect met, with its numbers."""
    if box_xyxy is None:
        return None, [(Kind.UNREADABLE_BOX, "no box")]
    told = ", ".join(f"{value:g}" for value in box_xyxy)
    xmin, xmax = sorted(box_xyxy[0::2])
    ymin, ymax = sorted(box_xyxy[1::2])
    if xmin == xmax or ymin == ymax:
        return None, [(Kind.ZERO_AREA, told)]
    if xmax <= 0 or ymax <= 0 or xmin >= width or ymin >= height:
        return None, [(Kind.OUTSIDE, f"{told} in {width}x{height}")]
    defects = []
    if (xmin, ymin, xmax, ymax) != box_xyxy:
        defects.append((Kind.SWAPPED_CORNERS, told))
    inside = (max(xmin, 0.0), max(ymin, 0.0), min(xmax, float(width)), min(ymax, float(height)))
    if inside != (xmin, ymin, xmax, ymax):
        defects.append((Kind.CLIPPED, f"{told} in {width}x{height}"))
    return inside, defects


def _size(element: ElementTree.Element | None) -> tuple[int, int] | None:
    if element is None:
        return None
    width, height = (_number(element, name) for name in ("width", "height"))
    return None if width is None or height is None else (round(width), round(height))


def _object(element: ElementTree.Element) -> AnnotatedObject:
    corners = element.find("bndbox")
    names = ("xmin", "ymin", "xmax", "ymax")
    numbers = [None if corners is None else _number(corners, name) for name in names]
    box = tuple(number for number in numbers if number is not None)
    return AnnotatedObject(
        name=(element.findtext("name") or "").strip(),
        box_xyxy=(box[0], box[1], box[2], box[3]) if len(box) == 4 else None,
        difficult=(element.findtext("difficult") or "").strip() == "1",
    )


def _number(element: ElementTree.Element, name: str) -> float | None:
    try:
        value = float(element.findtext(name) or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None
