"""Parse an instances file in COCO's format: JSON to annotated images.

A box (x, y, width, height), with edges counted from 0, becomes (x, y, x + width, y + height). Ids are compared as
numbers where they are whole: 2299, 2299.0 and "2299" are one image.

Tested in tests/stages/datasets/coco/test_coco_json.py.
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from pipeline.errors import PipelineError
from stages.datasets.annotation import AnnotatedObject, Annotation, Remark
from stages.datasets.coco.coco_entries import ReadImage, Unread, read_category, read_image, read_object
from stages.datasets.defects import Kind
from stages.datasets.reading.json_parts import Part, fields_of, members, split_json
from stages.datasets.reading.values import shown

LISTS = ("images", "annotations", "categories")
IRRELEVANT = frozenset(("info", "licenses", "type"))


@dataclass(frozen=True, kw_only=True, slots=True)
class CocoImage:
    """One entry of `images` with all its annotations."""

    image_id: str
    file_name: str
    """As stated; empty when it is absent."""

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

    categories: Mapping[str, str]
    """Names by id; empty where a name is absent."""

    defects: tuple[tuple[Kind, str], ...] = ()
    """Defects of the file as a whole, with their details."""


@dataclass(kw_only=True)
class _Objects:
    """The objects of one image."""

    listed: list[AnnotatedObject] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    has_text_id: bool = False


def parse_coco(content: bytes, file: str) -> CocoFile:
    """Read a file. A list of images without `annotations`, as for test-dev, is legal.

    Raises PipelineError when the content is not in this format, or annotations have a category that it does not define.
    """
    whole = split_json(content, file)
    if not isinstance(whole, dict) or "images" not in whole:
        raise PipelineError(f"{file} cannot be read as COCO annotations: it has no list `images`")
    listed, annotations, categories = (members(whole.get(name), f"{file}: `{name}`") for name in LISTS)
    unread = Unread()
    unread.add("the file", (name for name in whole if name not in LISTS and name not in IRRELEVANT), "its top level")
    names, alike = _categories(
        [read_category(part, number, file, unread) for number, part in enumerate(categories)], file
    )
    with _uncollected():
        by_image, repeated = _objects(annotations, file, names, unread)
        images = tuple(_image(read_image(part, number, file, unread), by_image) for number, part in enumerate(listed))
    return CocoFile(
        images=images,
        orphans=tuple((image_id, len(found.listed)) for image_id, found in by_image.items()),
        categories=names,
        defects=(*alike, *repeated, *((Kind.UNREAD, detail) for detail in unread.described())),
    )


@contextmanager
def _uncollected() -> Iterator[None]:
    """Pause the collection of cycles, of which there are none here: it takes two fifths of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def count_classes(images: Iterable[CocoImage]) -> Counter[str]:
    """Number of objects of each class."""
    return Counter(item.name for item in objects_of(images))


def objects_of(images: Iterable[CocoImage]) -> Iterator[AnnotatedObject]:
    """All objects of these images."""
    return (item for image in images for item in image.annotation.objects)


def _categories(listed: Sequence[tuple[str, str]], file: str) -> tuple[dict[str, str], list[tuple[Kind, str]]]:
    """Names by id, and the defects. Raises PipelineError for an id with two names."""
    names: dict[str, str] = {}
    defects = []
    for category, name in listed:
        if category in names and names[category] != name:
            raise PipelineError(f"{file}: category {category} is named both {names[category]!r} and {name!r}")
        if category in names:
            defects.append((Kind.ALIKE_CLASSES, f"category {category}, {name!r}, is listed twice"))
        names[category] = name
    by_name: dict[str, list[str]] = {}
    for category, name in names.items():
        by_name.setdefault(name, []).append(category)
    defects += (
        (Kind.ALIKE_CLASSES, f"categories {', '.join(ids)} are all named {name!r} and become one class")
        for name, ids in by_name.items()
        if name and len(ids) > 1
    )
    return names, defects


def _objects(
    parts: Sequence[Part], file: str, names: Mapping[str, str], unread: Unread
) -> tuple[dict[str, _Objects], list[tuple[Kind, str]]]:
    """The objects by image id, and the defects of the list."""
    by_image: dict[str, _Objects] = {}
    unknown, ids, repeated, boxes = dict[str, list[int]](), set[int](), list[int](), False
    for number, part in enumerate(parts):
        image_id, category, item, has_text_id, defects = read_object(part, number, file, names, unread)
        found = by_image.get(image_id)
        if found is None:
            found = by_image[image_id] = _Objects()
        if category and category not in names:
            unknown.setdefault(category, []).append(number)
        if defects:
            found.remarks += (Remark(kind=kind, detail=text, number=len(found.listed)) for kind, text in defects)
        found.listed.append(item)
        found.has_text_id |= has_text_id
        boxes = boxes or item.box_xyxy is not None
        if item.annotation_id is not None:
            if item.annotation_id in ids:
                repeated.append(item.annotation_id)
            ids.add(item.annotation_id)
    if unknown:
        raise PipelineError(
            f"{file}: `categories` does not define category {_undefined(unknown)}; "
            "add it to `categories`, or correct `category_id`"
        )
    if parts and not boxes and not any("bbox" in fields_of(part, file) for part in parts):
        raise PipelineError(f"{file}: none of its {len(parts):,} annotations has a `bbox`; is it an instances file?")
    return by_image, _repeated(repeated)


def _undefined(places: Mapping[str, Sequence[int]]) -> str:
    """The most frequent of the categories without a definition, each with its number of annotations and the first."""
    frequent = sorted(places, key=lambda category: -len(places[category]))
    examples = (
        f"{shown(category)} (annotations[{places[category][0]}]{_and_others(len(places[category]) - 1)})"
        for category in frequent[:5]
    )
    return ", ".join(examples) + (f" and {len(places) - 5} more" if len(places) > 5 else "")


def _and_others(number: int) -> str:
    return f" and {number:,} more" if number else ""


def _repeated(ids: Sequence[int]) -> list[tuple[Kind, str]]:
    if not ids:
        return []
    return [(Kind.REPEATED_ID, f"{len(ids):,} annotations have the id of an earlier one, first {ids[0]}")]


def _image(image: ReadImage, by_image: dict[str, _Objects]) -> CocoImage:
    found = by_image.pop(image.image_id, None) or _Objects()
    return CocoImage(
        image_id=image.image_id,
        file_name=image.file_name,
        annotation=Annotation(size=image.size, objects=tuple(found.listed), remarks=tuple(found.remarks)),
        string_id=image.has_text_id or found.has_text_id,
    )
