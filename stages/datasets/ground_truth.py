"""The ground truth of an image: which annotated objects are kept, and how their boxes are repaired.

Sharding and the evaluation of detection files both use it, so that a detector is scored against the same boxes.

Tested in tests/stages/datasets/test_ground_truth.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from stages.datasets.annotation import AS_NAMED, AnnotatedObject, Naming, Remark
from stages.datasets.defects import Box, Kind, consequence

Size = tuple[int, int]
"""Width and height of an image in pixels."""


@dataclass(frozen=True, kw_only=True)
class KeptObject:
    """An object to train on or to score against."""

    number: int
    """Index in the annotation."""

    name: str
    """Class name as in the shards."""

    box_xyxy: Box
    """Repaired."""

    annotated: AnnotatedObject
    """The object before its repair."""

    @property
    def area(self) -> float:
        """As stated, otherwise of the repaired box with VOC's inclusive corners; in square pixels."""
        xmin, ymin, xmax, ymax = self.box_xyxy
        stated = self.annotated.area
        return (xmax - xmin + 1) * (ymax - ymin + 1) if stated is None else stated

    @property
    def annotation_id(self) -> int:
        stated = self.annotated.annotation_id
        return self.number if stated is None else stated


def kept_objects(
    objects: Sequence[AnnotatedObject],
    size: Size | None,
    *,
    naming: Naming = AS_NAMED,
    classes: Sequence[str] | None = None,
    ignored: Sequence[str] = (),
) -> tuple[list[KeptObject], list[Remark]]:
    """Return the objects that are kept, and the defects of all objects.

    `size` is that of the image, or the stated one where there is no image; without it (None, or zero as some programs
    state) nothing is clipped. `classes` (None: all) and `ignored` hold class names as in the shards.
    """
    kept: dict[tuple[str, Box, bool], int] = {}
    found, defects = list[KeptObject](), list[Remark]()
    for number, item in enumerate(objects):
        name = naming.ours(item.name)
        if not item.name:
            defects.append(Remark(kind=Kind.NO_CLASS, detail="no name", number=number))
            continue
        if name is None or name in ignored:
            defects.append(Remark(kind=Kind.IGNORED_CLASS, detail=item.name, number=number))
            continue
        if classes is not None and name not in classes:
            defects.append(Remark(kind=Kind.ABSENT_CLASS, detail=name, number=number))
            continue
        box, repairs = repaired(item.box_xyxy, size, item.box_fault)
        if box and (first := kept.setdefault((name, box, item.crowd), number)) != number:
            repairs.append((Kind.DUPLICATE_BOX, f"same as object {first}"))
        defects += (Remark(kind=kind, detail=f"{item.name}: {text}", number=number) for kind, text in repairs)
        if box:
            found.append(KeptObject(number=number, name=name, box_xyxy=box, annotated=item))
    return found, defects


def repaired(box_xyxy: Box | None, size: Size | None, fault: str = "") -> tuple[Box | None, list[tuple[Kind, str]]]:
    """The box as used for training, or None when it is unusable; and each of its defects, with the numbers.

    `fault` says why there is no box.
    """
    if box_xyxy is None:
        return None, [(Kind.UNREADABLE_BOX, fault or "no box")]
    xmin, xmax = sorted(box_xyxy[0::2])
    ymin, ymax = sorted(box_xyxy[1::2])
    if xmin == xmax or ymin == ymax:
        return None, [(Kind.ZERO_AREA, _numbers(box_xyxy))]
    swapped = (xmin, ymin, xmax, ymax) != box_xyxy
    defects = [(Kind.SWAPPED_CORNERS, _numbers(box_xyxy))] if swapped else []
    if size is None or min(size) <= 0:
        return (xmin, ymin, xmax, ymax), defects
    width, height = size
    if xmax <= 0 or ymax <= 0 or xmin >= width or ymin >= height:
        return None, [(Kind.OUTSIDE, f"{_numbers(box_xyxy)} in {width}x{height}")]
    inside = (max(xmin, 0.0), max(ymin, 0.0), min(xmax, float(width)), min(ymax, float(height)))
    if inside != (xmin, ymin, xmax, ymax):
        defects.append((Kind.CLIPPED, f"{_numbers(box_xyxy)} in {width}x{height}"))
    return inside, defects


def _numbers(box_xyxy: Box) -> str:
    return ", ".join(f"{value:g}" for value in box_xyxy)


def counted(remarks: Iterable[Remark]) -> tuple[str, ...]:
    """Defects of many images as notes with their numbers: "swapped corners: 3, repaired"."""
    numbers = Counter(remark.kind for remark in remarks)
    return tuple(f"{kind}: {numbers[kind]:,}, {consequence(kind)}" for kind in Kind if numbers[kind])
