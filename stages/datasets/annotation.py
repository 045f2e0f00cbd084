"""Annotated objects of an image in the one form that all readers give, and what becomes of a box that is not sound.

Boxes are (xmin, ymin, xmax, ymax) in pixels as annotated: 1-based, inclusive corners in VOC, 0-based edges in COCO
(x, y, x + width, y + height); nothing is subtracted. A box lies inside an image of W x H when 0 <= xmin and xmax <= W.

Tested in tests/stages/datasets/test_voc_xml.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from stages.datasets.defects import Box, Kind


@dataclass(frozen=True, kw_only=True)
class AnnotatedObject:
    """One object of one image."""

    name: str
    """Of its class, as the data set calls it."""

    box_xyxy: Box | None
    """None when there are not four finite numbers."""

    difficult: bool = False
    crowd: bool = False
    """A region of many objects: never trained on, ignored in evaluation."""

    area: float | None = None
    """In square pixels, as stated; None: that of the box."""

    annotation_id: int | None = None
    """As stated; None: its number within the image."""


@dataclass(frozen=True, kw_only=True)
class Annotation:
    """All that is said of one image."""

    size: tuple[int, int] | None
    """Width and height as stated, often wrong; None when nothing is stated."""

    objects: tuple[AnnotatedObject, ...]


@dataclass(frozen=True, kw_only=True)
class Naming:
    """From the class names of a data set to those of the shards."""

    rename: tuple[tuple[str, str], ...] = ()
    """Pairs (theirs, ours); other names stay as they are."""

    leave_out_others: bool = False
    """Leave out objects of classes that `rename` does not name. They are counted in the report."""

    def ours(self, theirs: str) -> str | None:
        """None for a class that is left out."""
        return self._renamed.get(theirs, None if self.leave_out_others else theirs)

    @cached_property
    def _renamed(self) -> Mapping[str, str]:
        return dict(self.rename)


AS_NAMED = Naming()


def repaired(box_xyxy: Box | None, width: int, height: int) -> tuple[Box | None, list[tuple[Kind, str]]]:
    """The box as it goes to training, or None when it cannot; and each defect met, with its numbers."""
    if box_xyxy is None:
        return None, [(Kind.UNREADABLE_BOX, "no box")]
    told = ", ".join(f"{value:g}" for value in box_xyxy)
    xmin, xmax = sorted(box_xyxy[0::2])
    ymin, ymax = sorted(box_xyxy[1::2])
    if xmin == xmax or ymin == ymax:
        return None, [(Kind.ZERO_AREA, told)]
    if xmax <= 0 or ymax <= 0 or xmin >= width or ymin >= height:
        return None, [(Kind.OUTSIDE, f"{told} in {width}x{height}")]
    defects = []
    if (xmin, ymin, xmax, ymax) != box_xyxy:
        defects.append((Kind.SWAPPED_CORNERS, told))
    inside = (max(xmin, 0.0), max(ymin, 0.0), min(xmax, float(width)), min(ymax, float(height)))
    if inside != (xmin, ymin, xmax, ymax):
        defects.append((Kind.CLIPPED, f"{told} in {width}x{height}"))
    return inside, defects
