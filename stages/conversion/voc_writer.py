"""Write the layout of VOC: an XML file for each image, and a list for each split.

Coordinates are written as annotated, with decimals where they have some, as in VOC2012. A crowd becomes a difficult
object, which is ignored in evaluation too; VOC has no field for stated areas and ids.

Tested in tests/stages/conversion/test_convert.py.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ssd_core.data.shards import Row
from stages.conversion.layout_writer import LayoutWriter, Target, number
from stages.datasets.voc_parts import ANNOTATIONS, IMAGES, SPLITS

CORNERS = ("xmin", "ymin", "xmax", "ymax")


@dataclass(kw_only=True)
class VocWriter(LayoutWriter):
    """Writes Annotations, JPEGImages and ImageSets/Main."""

    _lists: dict[str, list[str]] = field(default_factory=dict)

    def add(self, target: Target, row: Row) -> None:
        self.write(f"{IMAGES}/{target.file}", row.image)
        self.write(f"{ANNOTATIONS}/{target.name}.xml", _xml(target, row, self.classes))
        for split in target.splits:
            self._lists.setdefault(split, []).append(target.name)
        self.losses.add("crowds, written as difficult objects", target.place, int(row.crowd.sum()))
        if self.has_stated_areas:
            self.losses.add("stated areas and annotation ids of objects", target.place, len(row.labels))
        self.images += 1
        self.boxes += len(row.labels)

    def finish(self) -> None:
        for split in self.splits:
            self.write(f"{SPLITS}/{split}.txt", "".join(f"{name}\n" for name in self._lists.get(split, ())))


def _xml(target: Target, row: Row, classes: Sequence[str]) -> str:
    root = ElementTree.Element("annotation")
    _add(root, "folder", IMAGES)
    _add(root, "filename", target.file)
    size = _add(root, "size")
    for name, value in (("width", row.width), ("height", row.height), ("depth", 3)):
        _add(size, name, str(value))
    for label, box, ignored in _objects(row):
        part = _add(root, "object")
        _add(part, "name", classes[label])
        _add(part, "difficult", str(int(ignored)))
        corners = _add(part, "bndbox")
        for name, side in zip(CORNERS, box, strict=True):
            _add(corners, name, number(side))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _objects(row: Row) -> Iterator[tuple[int, list[float], bool]]:
    """Label, box, and whether evaluation ignores it, of each object."""
    ignored = row.difficult | row.crowd
    yield from zip(row.labels.tolist(), row.boxes_xyxy.tolist(), ignored.tolist(), strict=True)


def _add(parent: ElementTree.Element, name: str, text: str | None = None) -> ElementTree.Element:
    child = ElementTree.SubElement(parent, name)
    child.text = text
    return child
