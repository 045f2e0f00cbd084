"""Parse one annotation file of PASCAL VOC: XML to objects. Coordinates are as annotated; nothing is subtracted.

Every element is read, known to be irrelevant, or reported. Namespaces and capitals in the names of elements,
which VOC does not have, are ignored, and reported.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterable, Iterator

from stages.datasets.annotation import AnnotatedObject, Annotation, Remark, UnreadableAnnotation
from stages.datasets.defects import Box, Kind
from stages.datasets.reading import values

CORNERS = ("xmin", "ymin", "xmax", "ymax")
SIDES = ("width", "height")
READ = {
    "annotation": frozenset(("size", "object")),
    "size": frozenset(SIDES),
    "object": frozenset(("name", "bndbox", "difficult")),
    "bndbox": frozenset(CORNERS),
}
"""Elements that are read, by the element that holds them."""

IRRELEVANT = {
    "annotation": frozenset(("folder", "filename", "path", "source", "owner", "segmented")),
    "size": frozenset(("depth",)),
    "object": frozenset(
        ("pose", "truncated", "occluded", "part", "actions", "point", "polygon", "attributes", "subcategory")
    ),
    "bndbox": frozenset[str](),
}
"""Elements of VOC, ILSVRC, labelImg, CVAT and Roboflow that concern neither class nor box."""

KNOWN = {place: READ[place] | IRRELEVANT[place] for place in READ}
REPEATED = frozenset(("object", "bndbox", "part"))
"""Elements that may occur several times."""

_NAMES = frozenset(("annotation", *(name for names in KNOWN.values() for name in names)))
_SHOWN = 3
"""Number of odd names listed in a remark."""

_DECLARED = re.compile(rb"\s*<\?xml[^>]*?encoding\s*=\s*[\"']([\w.:-]+)")


def parse(xml: bytes) -> Annotation:
    """Read an annotation file. Raises UnreadableAnnotation when it is not well-formed XML, or no annotation of VOC."""
    root = _root(xml)
    odd = _plain_names(root)
    if root.tag != "annotation":
        raise UnreadableAnnotation(
            Kind.FOREIGN_XML, f"its root is <{root.tag}>, not <annotation>; export as PASCAL VOC"
        )
    if len(root) and not any(child.tag in KNOWN["annotation"] for child in root):
        raise UnreadableAnnotation(
            Kind.FOREIGN_XML, f"it holds {_listed(child.tag for child in root)} and nothing of VOC"
        )
    unread = Counter[str]()
    parts = _parts(root, unread)
    remarks = [Remark(kind=Kind.ODD_TAGS, detail=_listed(odd))] if odd else []
    size = _size(parts["size"], unread, remarks) if "size" in parts else None
    objects = list[AnnotatedObject]()
    for element in root.iterfind("object"):
        objects += _objects(element, len(objects), unread, remarks)
    if not objects and (inside := [child.tag for child in root if child.find(".//bndbox") is not None]):
        raise UnreadableAnnotation(Kind.FOREIGN_XML, f"its boxes lie in {_listed(inside)}, not in <object>")
    remarks += (Remark(kind=Kind.UNREAD, detail=f"{name}, {times} times") for name, times in unread.items())
    return Annotation(size=size, objects=tuple(objects), remarks=tuple(remarks))


def _root(xml: bytes) -> ElementTree.Element:
    try:
        return ElementTree.fromstring(xml)
    except ElementTree.ParseError as error:
        raise UnreadableAnnotation(Kind.BROKEN_XML, str(error)) from error
    except (LookupError, ValueError) as error:  # an encoding that the parser does not know, or of several bytes
        return _decoded(xml, error)


def _decoded(xml: bytes, error: Exception) -> ElementTree.Element:
    """Parse XML in an encoding that Python knows but its XML parser does not, such as GBK."""
    declared = _DECLARED.match(xml)
    try:
        return ElementTree.fromstring(xml.decode(declared[1].decode() if declared else "utf-8"))
    except (LookupError, ValueError, ElementTree.ParseError):
        raise UnreadableAnnotation(Kind.BROKEN_XML, f"{error}; save the file as UTF-8") from error


def _plain_names(root: ElementTree.Element) -> list[str]:
    """Rename elements that are known but for a namespace or capitals; return their former names, sorted."""
    unknown = {element.tag for element in root.iter()} - _NAMES
    plain = {tag: name for tag in unknown if (name := tag.rpartition("}")[2].lower()) != tag and name in _NAMES}
    for element in root.iter() if plain else ():
        element.tag = plain.get(element.tag, element.tag)
    return sorted(plain)


def _parts(element: ElementTree.Element, unread: Counter[str]) -> dict[str, ElementTree.Element]:
    """The children of an element by name, the first of each; `unread` counts what is neither read nor irrelevant."""
    parts = {child.tag: child for child in element[::-1]}
    if not parts.keys() <= KNOWN[element.tag] or len(parts) < len(element) or element.attrib:
        unread.update(_unread(element))
    return parts


def _unread(element: ElementTree.Element) -> Iterator[str]:
    place, seen = element.tag, set[str]()
    for child in element:
        if child.tag not in KNOWN[place]:
            yield f"<{child.tag}> of <{place}>"
        elif child.tag in READ[place] and child.tag in seen and child.tag not in REPEATED:
            yield f"another <{child.tag}> of <{place}>"
        seen.add(child.tag)
    if place != "annotation":  # labelImg writes verified="yes" there
        yield from (f"attribute {name} of <{place}>" for name in element.attrib)


def _size(element: ElementTree.Element, unread: Counter[str], remarks: list[Remark]) -> tuple[int, int] | None:
    """Width and height as stated, 0 x 0 included."""
    parts = _parts(element, unread)
    try:
        texts = [_text(parts, name) for name in SIDES]
        if all(map(values.is_absent, texts)):
            return None
        width, height = values.numbers(texts, SIDES)
    except ValueError as error:
        remarks.append(Remark(kind=Kind.WRONG_SIZE, detail=str(error)))
        return None
    return round(width), round(height)


def _objects(
    element: ElementTree.Element, number: int, unread: Counter[str], remarks: list[Remark]
) -> list[AnnotatedObject]:
    """One object for each box of an <object>, the first of which has this number; one without a box if it has none."""
    parts = _parts(element, unread)
    name = _text(parts, "name").strip()
    boxes = [_box(corners, unread) for corners in element.iterfind("bndbox")] or [(None, "no <bndbox>")]
    if len(boxes) > 1:
        remarks.append(Remark(kind=Kind.SEVERAL_BOXES, detail=f"{name}: {len(boxes)} boxes", number=number))
    try:
        difficult = values.flag(_text(parts, "difficult"), "difficult")
    except ValueError as error:
        difficult = False
        remarks.append(Remark(kind=Kind.UNREADABLE_FLAG, detail=f"{name}: {error}", number=number))
    return [AnnotatedObject(name=name, box_xyxy=box, box_fault=fault, difficult=difficult) for box, fault in boxes]


def _box(element: ElementTree.Element, unread: Counter[str]) -> tuple[Box | None, str]:
    """The corners of a box, or None and why there is none."""
    parts = _parts(element, unread)
    try:
        xmin, ymin, xmax, ymax = values.numbers([_text(parts, name) for name in CORNERS], CORNERS)
    except ValueError as error:
        return None, str(error)
    return (xmin, ymin, xmax, ymax), ""


def _text(parts: dict[str, ElementTree.Element], name: str) -> str:
    """Text of a part; empty when it is absent."""
    return parts[name].text or "" if name in parts else ""


def _listed(names: Iterable[str]) -> str:
    """The first names as a message shows them."""
    each = [f"<{name}>" for name in dict.fromkeys(names)]
    return ", ".join(each[:_SHOWN]) + (f" and {len(each) - _SHOWN} more" if len(each) > _SHOWN else "")
