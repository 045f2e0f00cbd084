"""Annotations that are well-formed one by one, but implausible as a set: fractions for pixels, sizes for corners.

Sums over images are taken while they are read, and added; each suspicion is one line that names what it probably is.

Tested in tests/stages/datasets/test_defects.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields

from stages.datasets.annotation import AnnotatedObject
from stages.datasets.defects import Box, Defect, Kind
from stages.datasets.ground_truth import Size

ENOUGH = 10
"""Smallest number of objects from which a set is judged."""

ENOUGH_IMAGES = 3
"""Smallest number of images with objects from which equal sizes are judged."""

SWAPPED_SHARE = 0.1
"""Share of boxes with xmax < xmin or ymax < ymin from which corners are doubted, if all fit as x, y, width, height."""


@dataclass(frozen=True, kw_only=True)
class Sums:
    """Counts over the annotated objects of a set of images."""

    images: int = 0
    """Number of images with a box."""

    objects: int = 0
    crowds: int = 0
    difficult: int = 0
    boxes: int = 0
    """Number of objects with four numbers."""

    fractions: int = 0
    """Number of boxes that lie within [0, 1]."""

    swapped: int = 0
    """Number of boxes whose right or lower side comes before the other one."""

    fitting: int = 0
    """Number of boxes that lie within their image if they are x, y, width, height."""

    sizes: tuple[Size, ...] = ()
    """First two different sizes of boxes, in pixels."""


def sums_of(objects: Sequence[AnnotatedObject], size: Size) -> Sums:
    """Counts over the objects of one image, with their boxes as annotated."""
    boxes = [item.box_xyxy for item in objects if item.box_xyxy is not None]
    return Sums(
        images=int(bool(boxes)),
        objects=len(objects),
        crowds=sum(item.crowd for item in objects),
        difficult=sum(item.difficult for item in objects),
        boxes=len(boxes),
        fractions=sum(min(box) >= 0 and max(box) <= 1 for box in boxes),
        swapped=sum(box[2] < box[0] or box[3] < box[1] for box in boxes),
        fitting=sum(_fits_as_xywh(box, size) for box in boxes),
        sizes=_first_two((round(box[2] - box[0]), round(box[3] - box[1])) for box in boxes),
    )


def total(parts: Sequence[Sums]) -> Sums:
    """Counts over disjoint sets of images together."""
    added = {
        part.name: sum(getattr(each, part.name) for each in parts) for part in fields(Sums) if part.name != "sizes"
    }
    return Sums(**added, sizes=_first_two(size for each in parts for size in each.sizes))


def suspicions(sums: Sums, objects_per_class: Mapping[str, int], *, source: str, place: str) -> tuple[Defect, ...]:
    """What is implausible about a set of images; `place` names the set in the report."""
    found = [*_of_boxes(sums), *_of_flags(sums), *_of_names(objects_per_class)]
    return tuple(Defect(kind=kind, source=source, file=place, detail=detail) for kind, detail in found)


def _of_boxes(sums: Sums) -> Iterable[tuple[Kind, str]]:
    if sums.boxes < ENOUGH:
        return
    if sums.fractions == sums.boxes:
        yield (
            Kind.ALL_FRACTIONS,
            f"all {sums.boxes:,} boxes lie within [0, 1]: are they fractions of the image? This layout holds pixels",
        )
    elif len(sums.sizes) == 1 and sums.images >= ENOUGH_IMAGES:
        width, height = sums.sizes[0]
        yield (
            Kind.ALL_ONE_SIZE,
            f"all {sums.boxes:,} boxes are {width}x{height} pixels: are they points, or placeholders?",
        )
    if sums.swapped >= SWAPPED_SHARE * sums.boxes and sums.fitting == sums.boxes:
        yield (
            Kind.LOOKS_LIKE_XYWH,
            f"{sums.swapped:,} of {sums.boxes:,} boxes have xmax < xmin or ymax < ymin, and all lie within their "
            "images as x, y, width, height: were sizes written for xmax and ymax?",
        )


def _of_flags(sums: Sums) -> Iterable[tuple[Kind, str]]:
    if sums.objects < ENOUGH:
        return
    if sums.crowds == sums.objects:
        yield Kind.ALL_CROWD, f"all {sums.objects:,} objects are crowds, which are neither trained on nor scored"
    elif sums.difficult == sums.objects:
        yield Kind.ALL_DIFFICULT, f"all {sums.objects:,} objects are difficult, which are not scored"


def _of_names(objects_per_class: Mapping[str, int]) -> Iterable[tuple[Kind, str]]:
    alike: dict[str, list[str]] = {}
    for name in objects_per_class:
        alike.setdefault("".join(name.split()).casefold(), []).append(name)
    for names in alike.values():
        if len(names) > 1:
            counted = ", ".join(f"{name!r} ({objects_per_class[name]:,} objects)" for name in names)
            yield Kind.ALIKE_CLASSES, f"{counted}: are they one class?"


def _fits_as_xywh(box: Box, size: Size) -> bool:
    x, y, width, height = box
    return x >= 0 and y >= 0 and width > 0 and height > 0 and x + width <= size[0] + 1 and y + height <= size[1] + 1


def _first_two(sizes: Iterable[Size]) -> tuple[Size, ...]:
    first: list[Size] = []
    for size in sizes:
        if size not in first:
            first.append(size)
            if len(first) == 2:
                break
    return tuple(first)
