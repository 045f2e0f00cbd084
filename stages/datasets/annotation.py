"""Annotated objects of an image, in the form that all readers produce.

Boxes are (xmin, ymin, xmax, ymax) in pixels as annotated: 1-based, inclusive corners in VOC, 0-based edges in COCO
(x, y, x + width, y + height); nothing is subtracted. A box lies inside an image of W x H when 0 <= xmin and xmax <= W.

Tested in tests/stages/datasets/xml/test_voc_xml.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from stages.datasets.defects import Box, Kind


@dataclass(frozen=True, kw_only=True, slots=True)
class AnnotatedObject:
    """One object of one image; with slots, because the readers of a single file hold all of its objects."""

    name: str
    """Class name as the data set has it; empty when it is absent, and then the object is left out."""

    box_xyxy: Box | None
    """None when the annotation does not hold four finite numbers."""

    box_fault: str = ""
    """Why there is no box, with the value; empty when there is one."""

    difficult: bool = False
    crowd: bool = False
    """A region of many objects: never trained on, ignored in evaluation."""

    area: float | None = None
    """In square pixels, as stated; None: the area of the box is used."""

    annotation_id: int | None = None
    """As stated; None: its number within the image is used."""


@dataclass(frozen=True, kw_only=True)
class Remark:
    """What a reader noticed in an annotation, besides what follows from the objects; it becomes a defect.

    One of a kind that leaves out a box stands for a box that is not among the objects.
    """

    kind: Kind
    detail: str
    number: int | None = None
    """Index of the object; None when the whole annotation is concerned."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Annotation:
    """Everything annotated for one image."""

    size: tuple[int, int] | None
    """Width and height as stated, which are often wrong; None when they are not stated."""

    objects: tuple[AnnotatedObject, ...]
    remarks: tuple[Remark, ...] = ()
    relative: bool = False
    """Whether boxes are in fractions of the image's width and height, after its EXIF rotation, as YOLO has them."""

    def in_pixels(self, width: int, height: int) -> tuple[AnnotatedObject, ...]:
        """The objects with their boxes in pixels of an image of this size."""
        return tuple(_scaled(item, width, height) for item in self.objects) if self.relative else self.objects


def _scaled(item: AnnotatedObject, width: int, height: int) -> AnnotatedObject:
    if item.box_xyxy is None:
        return item
    xmin, ymin, xmax, ymax = item.box_xyxy
    return replace(item, box_xyxy=(xmin * width, ymin * height, xmax * width, ymax * height))


class UnreadableAnnotation(ValueError):
    """An annotation file that cannot be read: a defect of its image, which is left out."""

    def __init__(self, kind: Kind, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind


@dataclass(frozen=True, kw_only=True)
class Naming:
    """Mapping from the class names of a data set to those of the shards."""

    rename: tuple[tuple[str, str], ...] = ()
    """Pairs (name in the data set, name in the shards); other names stay unchanged."""

    leave_out_others: bool = False
    """Leave out objects of classes that are not in `rename`. The report counts them."""

    def ours(self, theirs: str) -> str | None:
        """Name in the shards of a class of the data set; None when the class is left out."""
        return self._renamed.get(theirs, None if self.leave_out_others else theirs)

    @cached_property
    def _renamed(self) -> Mapping[str, str]:
        return dict(self.rename)


AS_NAMED = Naming()
