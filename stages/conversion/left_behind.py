"""What annotations hold that no reader keeps, such as outlines: counted, since a conversion loses it.

CSV has no such values, and the readers of YOLO report outlines and keypoints themselves.

Tested in tests/stages/conversion/test_convert.py.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Iterator

from pipeline.folder import Folder
from stages.conversion.layout_writer import Losses
from stages.datasets.coco.coco_entries import IMAGE_FIELDS, OBJECT_FIELDS
from stages.datasets.find import DataSet
from stages.datasets.reading.json_parts import fields_of, members, split_json

KEPT = {"id", "image_id", "category_id", "bbox", "area", "iscrowd", "difficult", "file_name", "width", "height"}
"""Fields of COCO's images and annotations that a conversion keeps, or reports itself."""

EMPTY: tuple[object, ...] = (None, "", "0", 0, [], {}, "Unspecified")
XML_PARTS = ("pose", "truncated", "occluded", "part", "actions", "point", "polygon", "attributes", "subcategory")


def count_left_behind(data_set: DataSet, splits: Iterable[str], losses: Losses) -> None:
    """Add what the annotations of these splits hold besides classes, boxes, flags and areas."""
    sources = [data_set.source(split) for split in splits]
    folder = sources[0].located()
    if data_set.layout == "coco":
        _of_json(folder, _each_once(source.files_read(folder).contents for source in sources), losses)
    elif data_set.layout in ("voc", "ilsvrc"):
        listings = (source.listing(folder).images for source in sources)
        _of_xml(folder, _each_once([image.annotation_file for image in images] for images in listings), losses)


def _each_once(groups: Iterable[Iterable[str]]) -> list[str]:
    """Files of all splits, those that several share once."""
    return list(dict.fromkeys(file for group in groups for file in group))


def _of_json(folder: Folder, files: Iterable[str], losses: Losses) -> None:
    for file in files:
        content = split_json(folder.read_bytes(file), file)
        for part, known in (("annotations", OBJECT_FIELDS), ("images", IMAGE_FIELDS)):
            for number, raw in enumerate(members(content.get(part), f"{file}: {part}")):
                entry = fields_of(raw, f"{file}: {part}[{number}]")
                for name in (known & entry.keys()) - KEPT:  # the reader reports other fields
                    if entry[name] not in EMPTY:
                        losses.add(f"field {name} of {part}", f"{file}: {part}[{number}]")


def _of_xml(folder: Folder, files: Iterable[str], losses: Losses) -> None:
    for file in files:
        for name in _parts_of(folder.read_bytes(file) if folder.is_file(file) else b""):
            losses.add(f"element {name} of objects", file)


def _parts_of(xml: bytes) -> Iterator[str]:
    try:
        root = ElementTree.fromstring(xml)
    except (ElementTree.ParseError, LookupError, ValueError):  # the reader reports the file
        return
    for item in root.iterfind("object"):
        for part in item:
            if part.tag in XML_PARTS and (len(part) or (part.text or "").strip() not in EMPTY):
                yield part.tag
