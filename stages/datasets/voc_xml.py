"""Parse one annotation file of PASCAL VOC: XML to objects. Coordinates are as annotated; nothing is subtracted."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ElementTree

from stages.datasets.annotation import AnnotatedObject, Annotation


def parse(xml: bytes) -> Annotation:
    """Read an annotation file. Raises ValueError when it is not well-formed XML."""
    try:
        root = ElementTree.fromstring(xml)
    except (ElementTree.ParseError, LookupError) as error:  # LookupError: an unknown encoding
        raise ValueError(str(error)) from error
    return Annotation(
        size=_size(root.find("size")),
        objects=tuple(_object(element) for element in root.iterfind("object")),
    )


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
