"""Read the entries of COCO's lists: images, categories and annotations.

An entry that is spelled as in COCO's own files is decoded at once; any other is read value by value, with the rules of
`stages.datasets.reading.values`. Both give the same.

Tested in tests/stages/datasets/coco/test_coco_json.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct

from pipeline.errors import PipelineError
from stages.datasets.annotation import AnnotatedObject
from stages.datasets.defects import Box, Kind
from stages.datasets.reading import values
from stages.datasets.reading.json_parts import Part, fields_of, typed

LARGEST_ID = 2**63 - 1
"""Of annotations: larger ones do not fit into a shard."""

T = TypeVar("T")


class _Image(Struct, forbid_unknown_fields=True, gc=False):
    """An entry of `images`; `Raw` marks fields that concern neither class nor box."""

    id: int
    file_name: str
    width: int | None = None
    height: int | None = None
    license: Raw = Raw()
    flickr_url: Raw = Raw()
    coco_url: Raw = Raw()
    date_captured: Raw = Raw()


class _Object(Struct, forbid_unknown_fields=True, gc=False):
    """An entry of `annotations`."""

    image_id: int
    category_id: int
    bbox: tuple[float, float, float, float]
    id: Annotated[int, Meta(ge=0, le=LARGEST_ID)] | None = None
    area: Annotated[float, Meta(ge=0)] | None = None
    iscrowd: Literal[0, 1] = 0
    difficult: Literal[0, 1] = 0
    segmentation: Raw = Raw()
    keypoints: Raw = Raw()
    num_keypoints: Raw = Raw()
    attributes: Raw = Raw()
    truncated: Raw = Raw()
    occluded: Raw = Raw()
    pose: Raw = Raw()


IMAGE_FIELDS = frozenset(_Image.__struct_fields__)
OBJECT_FIELDS = frozenset(_Object.__struct_fields__)
CATEGORY_FIELDS = frozenset(("id", "name", "supercategory", "keypoints", "skeleton", "color", "isthing"))

_IMAGE = msgspec.json.Decoder(_Image)
_OBJECT = msgspec.json.Decoder(_Object)


class ReadImage(NamedTuple):
    image_id: str
    file_name: str
    """As stated; empty when it is absent."""

    size: tuple[int, int] | None
    has_text_id: bool


class ReadObject(NamedTuple):
    image_id: str
    """Empty when it is absent."""

    category_id: str
    """Empty when it is absent."""

    object: AnnotatedObject
    has_text_id: bool = False
    """Whether the image id is text in the file."""

    defects: tuple[tuple[Kind, str], ...] = ()


@dataclass(kw_only=True)
class Unread:
    """Fields that are not read."""

    counts: dict[tuple[str, str], int] = field(default_factory=dict)
    """Number of entries with a field, by list and field."""

    first: dict[tuple[str, str], str] = field(default_factory=dict)

    def add(self, part: str, names: Iterable[str], place: str) -> None:
        for name in names:
            self.counts[part, name] = self.counts.get((part, name), 0) + 1
            self.first.setdefault((part, name), place)

    def described(self) -> list[str]:
        """One description for each field, with its count and first place."""
        return [
            f"{part}: field {values.shown(name)}, {number:,} times, first in {self.first[part, name]}"
            for (part, name), number in self.counts.items()
        ]


def read_image(part: Part, number: int, file: str, unread: Unread) -> ReadImage:
    """Read an entry of `images`. Raises PipelineError when it has no id."""
    if (image := typed(_IMAGE, part)) is not None:
        return ReadImage(str(image.id), image.file_name, _size(image.width, image.height), False)
    place = f"images[{number}]"
    fields = fields_of(part, f"{file}: {place}")
    unread.add("images", fields.keys() - IMAGE_FIELDS, place)
    return at(
        f"{file}: {place}",
        lambda: ReadImage(
            values.identifier(fields.get("id"), "id"),
            "" if values.is_absent(fields.get("file_name")) else values.name(fields["file_name"], "file_name"),
            _size(
                values.optional_number(fields.get("width"), "width"),
                values.optional_number(fields.get("height"), "height"),
            ),
            isinstance(fields["id"], str),
        ),
    )


def read_category(part: Part, number: int, file: str, unread: Unread) -> tuple[str, str]:
    """Return id and name of an entry of `categories`; the name is empty when it is absent."""
    place = f"categories[{number}]"
    fields = fields_of(part, f"{file}: {place}")
    unread.add("categories", fields.keys() - CATEGORY_FIELDS, place)
    name = fields.get("name")
    return at(
        f"{file}: {place}",
        lambda: (
            values.identifier(fields.get("id"), "id"),
            "" if values.is_absent(name) else values.name(name, "name"),
        ),
    )


def read_object(part: Part, number: int, file: str, names: Mapping[str, str], unread: Unread) -> ReadObject:
    """Read an entry of `annotations`; `names` are the categories by id. Raises PipelineError for ids that are none."""
    if (item := typed(_OBJECT, part)) is None:
        return _exact_object(part, number, file, names, unread)
    category = str(item.category_id)
    found = AnnotatedObject(
        name=names.get(category, ""),
        box_xyxy=_corners(*item.bbox),
        crowd=item.iscrowd == 1,
        difficult=item.difficult == 1,
        area=item.area,
        annotation_id=item.id,
    )
    return ReadObject(str(item.image_id), category, found)


def _exact_object(part: Part, number: int, file: str, names: Mapping[str, str], unread: Unread) -> ReadObject:
    place = f"annotations[{number}]"
    fields = fields_of(part, f"{file}: {place}")
    unread.add("annotations", fields.keys() - OBJECT_FIELDS, place)
    image_id, category = at(f"{file}: {place}", lambda: (_id(fields, "image_id"), _id(fields, "category_id")))
    defects: list[tuple[Kind, str]] = []
    box, fault = _box(fields.get("bbox"))
    item = AnnotatedObject(
        name=names.get(category, ""),
        box_xyxy=box,
        box_fault=fault,
        crowd=_flag(fields, "iscrowd", place, defects),
        difficult=_flag(fields, "difficult", place, defects),
        area=_area(fields.get("area"), place, defects),
        annotation_id=_annotation_id(fields.get("id")),
    )
    return ReadObject(image_id, category, item, isinstance(fields.get("image_id"), str), tuple(defects))


def box_xywh(value: Any) -> tuple[float, float, float, float]:
    """Return x, y, width and height. Raises ValueError when they are not four finite numbers."""
    if not isinstance(value, list) or len(value) != 4:
        raise ValueError(f"bbox is {values.shown(value)}, not four numbers")
    x, y, width, height = (values.number(side, "bbox") for side in value)
    return x, y, width, height


def at(place: str, read: Callable[[], T]) -> T:
    """Return what `read` returns, with the place added to its ValueError."""
    try:
        return read()
    except ValueError as error:
        raise PipelineError(f"{place}: {error}") from error


def _id(fields: Mapping[str, Any], name: str) -> str:
    return "" if values.is_absent(fields.get(name)) else values.identifier(fields[name], name)


def _box(value: Any) -> tuple[Box | None, str]:
    """The corners of a box, or None and why there is none."""
    try:
        return _corners(*box_xywh(value)), ""
    except ValueError as error:
        return None, str(error)


def _corners(x: float, y: float, width: float, height: float) -> Box | None:
    xmax, ymax = x + width, y + height
    return (x, y, xmax, ymax) if math.isfinite(xmax) and math.isfinite(ymax) else None


def _flag(fields: Mapping[str, Any], name: str, place: str, defects: list[tuple[Kind, str]]) -> bool:
    try:
        return values.flag(fields.get(name), name)
    except ValueError as error:
        defects.append((Kind.UNREADABLE_FLAG, f"{place}: {error}"))
        return False


def _area(value: Any, place: str, defects: list[tuple[Kind, str]]) -> float | None:
    """Return the stated area; None, for that of the box, when it is absent or, which is a defect, not an area."""
    try:
        area = values.optional_number(value, "area")
        if area is not None and area < 0:
            raise ValueError(f"area is {values.shown(value)}, which is negative")
    except ValueError as error:
        defects.append((Kind.WRONG_AREA, f"{place}: {error}"))
        return None
    return area


def _annotation_id(value: Any) -> int | None:
    """The id as a number; None when it is absent, other text, or does not fit into a shard."""
    try:
        text = values.identifier(value, "id")
    except ValueError:
        return None
    return int(text) if text.isdecimal() and len(text) < 20 and int(text) <= LARGEST_ID else None


def _size(width: float | None, height: float | None) -> tuple[int, int] | None:
    return None if width is None or height is None else (round(width), round(height))
