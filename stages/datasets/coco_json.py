"""Parse an instances file in COCO's format: JSON to annotated images.

A box (x, y, width, height), with edges counted from 0, becomes (x, y, x + width, y + height). Ids are compared as text,
so that 2299 and "2299" are one image.

Tested in tests/stages/datasets/test_coco.py.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stages.datasets.annotation import AnnotatedObject, Annotation
from stages.datasets.defects import Box


@dataclass(frozen=True, kw_only=True)
class CocoImage:
    """One entry of `images` with all its annotations."""

    image_id: str
    file_name: str
    annotation: Annotation
    string_id: bool
    """Whether an id in the file is a string."""


@dataclass(frozen=True, kw_only=True)
class CocoFile:
    """Content of one file."""

    images: tuple[CocoImage, ...]
    """In the order of the file, repetitions included; the annotations belong to the first occurrence."""

    orphans: tuple[tuple[str, int], ...]
    """(image id, number of annotations) of images that are not listed."""

    objects_per_class: Mapping[str, int]
    """Counts over the listed images."""


def parse_coco(content: bytes) -> CocoFile:
    """Read a file. A list of images without `annotations`, as for test-dev, is legal.

    Raises ValueError when the content is not in this format, or annotations have a category that it does not define.
    """
    whole = json.loads(content)
    if not isinstance(whole, dict) or not isinstance(whole.get("images"), list):
        raise ValueError("it has no list `images`")
    annotations: list[dict[str, Any]] = whole.get("annotations") or []
    names = {str(category["id"]): str(category["name"]).strip() for category in whole.get("categories") or []}
    if unknown := Counter(str(item.get("category_id")) for item in annotations if _category(item) not in names):
        counts = ", ".join(f"{category} ({number} annotations)" for category, number in unknown.items())
        raise ValueError(f"`categories` does not define category {counts}")
    by_image: dict[str, list[dict[str, Any]]] = {}
    for item in annotations:
        by_image.setdefault(str(item.get("image_id")), []).append(item)
    images = tuple(_image(entry, by_image.pop(str(entry["id"]), []), names) for entry in whole["images"])
    return CocoFile(
        images=images,
        orphans=tuple((image_id, len(items)) for image_id, items in by_image.items()),
        objects_per_class=Counter(item.name for image in images for item in image.annotation.objects),
    )


def _category(item: Mapping[str, Any]) -> str:
    return str(item.get("category_id"))


def _image(entry: Mapping[str, Any], annotations: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> CocoImage:
    width, height = entry.get("width"), entry.get("height")
    return CocoImage(
        image_id=str(entry["id"]),
        file_name=str(entry["file_name"]),
        annotation=Annotation(
            size=None if width is None or height is None else (round(width), round(height)),
            objects=tuple(_object(item, names[_category(item)]) for item in annotations),
        ),
        string_id=isinstance(entry["id"], str) or any(isinstance(item["image_id"], str) for item in annotations),
    )


def _object(item: Mapping[str, Any], name: str) -> AnnotatedObject:
    annotation_id, area = item.get("id"), item.get("area")
    return AnnotatedObject(
        name=name,
        box_xyxy=_box(item.get("bbox")),
        crowd=bool(item.get("iscrowd", 0)),
        area=float(area) if isinstance(area, int | float) else None,
        annotation_id=int(str(annotation_id)) if str(annotation_id).isdecimal() else None,
    )


def _box(xywh: Any) -> Box | None:
    if not isinstance(xywh, list) or len(xywh) != 4:
        return None
    if not all(isinstance(value, int | float) and math.isfinite(value) for value in xywh):
        return None
    x, y, width, height = xywh
    return float(x), float(y), float(x + width), float(y + height)
