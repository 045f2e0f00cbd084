"""Defects of a data set, their consequences, and the report that accounts for every image and box.

Nothing is dropped silently: images listed = images written + images left out, and boxes annotated =
boxes written + boxes left out + boxes of images left out.

Tested in tests/stages/datasets/test_defects.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any

Box = tuple[float, float, float, float]


class Policy(StrEnum):
    """What a defect does to the data."""

    IMAGE_LEFT_OUT = "image left out"
    BOX_LEFT_OUT = "box left out"
    REPAIRED = "repaired"
    KEPT = "kept unchanged"
    REFUSED = "refused"


class Kind(StrEnum):
    """A defect of a list, an image, a box, or a description that contradicts the image."""

    MISSING_ANNOTATION = "missing annotation"
    BROKEN_XML = "broken XML"
    FOREIGN_XML = "XML that is no VOC annotation"
    MISSING_IMAGE = "missing image"
    UNREADABLE_IMAGE = "unreadable or truncated image"
    DUPLICATE_ID = "id listed twice"
    ROTATED = "annotated in EXIF-rotated coordinates"
    SKIPPED_EMPTY = "image without objects, skipped on request"
    UNREADABLE_BOX = "box without four finite numbers"
    UNREADABLE_LINE = "line that does not hold a box"
    NO_CLASS = "object without a class"
    ZERO_AREA = "zero area"
    OUTSIDE = "box outside its image"
    IGNORED_CLASS = "class ignored on request"
    ORPHAN_ANNOTATION = "annotation of an unlisted image"
    UNKNOWN_CLASS = "unknown class"
    UNREADABLE_FLAG = "flag that is neither 0 or 1 nor false or true"
    NOTHING_TO_TRAIN = "split without an object to train on"
    TWO_SPLITS = "image in a training and a test split"
    SEVERAL_BOXES = "object with several boxes, read as several objects"
    ODD_TAGS = "XML with a namespace or capital tags, read as without"
    SWAPPED_CORNERS = "swapped corners"
    CLIPPED = "box crosses the image border"
    WRONG_SIZE = "wrong size in annotation"
    WRONG_AREA = "area that is no number of at least 0, replaced by the box's"
    DUPLICATE_BOX = "object annotated twice"
    SHARED_FILE = "image file of several ids"
    ABSENT_CLASS = "class that the training split lacks"
    ALL_FRACTIONS = "all boxes look like fractions of the image"
    ALL_CROWD = "all objects are crowds"
    ALL_DIFFICULT = "all objects are difficult"
    ALL_ONE_SIZE = "all boxes have one size"
    LOOKS_LIKE_XYWH = "corners look like x, y, width, height"
    ALIKE_CLASSES = "classes that differ only by case or blanks"
    ORPHAN_IMAGE = "image in no split"
    ORPHAN_FILE = "annotation file in no split"
    STRING_ID = "id given as a string"
    REPEATED_ID = "annotation id of several objects"
    UNREAD = "element, field or column that is not read"
    MISNAMED = "extension of another format"
    ODD_NAME = "space or non-ASCII letter in a name"
    EXIF_ORIENTATION = "EXIF orientation, not applied"
    ALPHA = "transparency, dropped when decoded"
    PALETTE = "palette, 8-bit RGB when decoded"
    CMYK = "CMYK, 8-bit RGB when decoded"
    GREY = "grey, 8-bit RGB when decoded"
    DEEP = "16-bit, 8-bit RGB when decoded"


@dataclass(frozen=True)
class Treatment:
    """Consequence of a kind of defect, and whether it is legal."""

    policy: Policy
    legal: bool = False
    """Listed in the report, but accepted even by a strict sharding."""


_LEFT_OUT, _BOX_LEFT_OUT = Treatment(Policy.IMAGE_LEFT_OUT), Treatment(Policy.BOX_LEFT_OUT)
_SUSPECT = Treatment(Policy.KEPT)
_REPAIRED, _REFUSED, _NOTED = Treatment(Policy.REPAIRED), Treatment(Policy.REFUSED), Treatment(Policy.KEPT, legal=True)

TREATMENTS = {
    Kind.MISSING_ANNOTATION: _LEFT_OUT,
    Kind.BROKEN_XML: _LEFT_OUT,
    Kind.FOREIGN_XML: _LEFT_OUT,
    Kind.MISSING_IMAGE: _LEFT_OUT,
    Kind.UNREADABLE_IMAGE: _LEFT_OUT,
    Kind.DUPLICATE_ID: _LEFT_OUT,
    Kind.ROTATED: _LEFT_OUT,
    Kind.SKIPPED_EMPTY: Treatment(Policy.IMAGE_LEFT_OUT, legal=True),
    Kind.UNREADABLE_BOX: _BOX_LEFT_OUT,
    Kind.UNREADABLE_LINE: _BOX_LEFT_OUT,
    Kind.NO_CLASS: _BOX_LEFT_OUT,
    Kind.ZERO_AREA: _BOX_LEFT_OUT,
    Kind.OUTSIDE: _BOX_LEFT_OUT,
    Kind.IGNORED_CLASS: Treatment(Policy.BOX_LEFT_OUT, legal=True),
    Kind.ORPHAN_ANNOTATION: _BOX_LEFT_OUT,
    Kind.UNKNOWN_CLASS: _REFUSED,
    Kind.UNREADABLE_FLAG: _REFUSED,
    Kind.NOTHING_TO_TRAIN: _REFUSED,
    Kind.TWO_SPLITS: _REFUSED,
    Kind.SEVERAL_BOXES: _REPAIRED,
    Kind.ODD_TAGS: _REPAIRED,
    Kind.SWAPPED_CORNERS: _REPAIRED,
    Kind.CLIPPED: _REPAIRED,
    Kind.WRONG_SIZE: _REPAIRED,
    Kind.WRONG_AREA: _REPAIRED,
    Kind.STRING_ID: Treatment(Policy.REPAIRED, legal=True),
    Kind.DUPLICATE_BOX: _SUSPECT,
    Kind.SHARED_FILE: _SUSPECT,
    Kind.ABSENT_CLASS: Treatment(Policy.BOX_LEFT_OUT),
    Kind.ALL_FRACTIONS: _SUSPECT,
    Kind.ALL_CROWD: _SUSPECT,
    Kind.ALL_DIFFICULT: _SUSPECT,
    Kind.ALL_ONE_SIZE: _SUSPECT,
    Kind.LOOKS_LIKE_XYWH: _SUSPECT,
    Kind.ALIKE_CLASSES: _SUSPECT,
    Kind.REPEATED_ID: _NOTED,
    Kind.UNREAD: _NOTED,
    Kind.ORPHAN_IMAGE: _NOTED,
    Kind.ORPHAN_FILE: _NOTED,
    Kind.MISNAMED: _NOTED,
    Kind.ODD_NAME: _NOTED,
    Kind.EXIF_ORIENTATION: _NOTED,
    Kind.ALPHA: _NOTED,
    Kind.PALETTE: _NOTED,
    Kind.CMYK: _NOTED,
    Kind.GREY: _NOTED,
    Kind.DEEP: _NOTED,
}


def consequence(kind: Kind) -> str:
    """The consequence of a defect, as reports word it."""
    return TREATMENTS[kind].policy.value


def is_legal(kind: Kind) -> bool:
    """Whether a strict sharding accepts this kind of defect."""
    return TREATMENTS[kind].legal


def is_refused(kind: Kind) -> bool:
    """Whether every sharding refuses this kind of defect."""
    return TREATMENTS[kind].policy is Policy.REFUSED


def leaves_out_box(kind: Kind) -> bool:
    """Whether defects of this kind leave out the box but keep its image."""
    return TREATMENTS[kind].policy is Policy.BOX_LEFT_OUT


@dataclass(frozen=True, kw_only=True, slots=True)
class Defect:
    """A defect and its place; with slots, since a large data set may have one for each box."""

    kind: Kind
    source: str
    file: str
    """Path inside the data set's folder."""

    detail: str
    object: int | None = None
    """Number of the object in its annotation file, from 0; None when the whole image or list is affected."""

    @property
    def place(self) -> str:
        return self.file if self.object is None else f"{self.file}, object {self.object}"

    def __str__(self) -> str:
        return f"{self.source}: {self.place}: {self.kind} ({self.detail})"


@dataclass(frozen=True, kw_only=True)
class Tally:
    """Counts over a set of images; tallies of disjoint sets can be added."""

    images_listed: int = 0
    images_written: int = 0
    images_left_out: int = 0
    images_without_objects: int = 0
    """Number of written images without objects. They are legal: all of the image is background."""

    boxes_annotated: int = 0
    boxes_written: int = 0
    boxes_left_out: int = 0
    boxes_of_left_out_images: int = 0
    """As far as the annotations can be read; includes boxes of images that are not listed."""

    def __add__(self, other: Tally) -> Tally:
        return Tally(**{part.name: getattr(self, part.name) + getattr(other, part.name) for part in fields(self)})


def report(tally: Tally, defects: Sequence[Defect]) -> dict[str, Any]:
    """The content of `report.json`: the tally, the number of defects of each kind, and each defect with its place."""
    return {
        **asdict(tally),
        "defects": {kind.value: number for kind, number in _by_kind(defects)},
        "list": [entry(defect) for defect in defects],
    }


def entry(defect: Defect) -> dict[str, Any]:
    """A defect as reports in JSON list it."""
    return asdict(defect) | {"consequence": consequence(defect.kind)}


def readable_report(tally: Tally, defects: Sequence[Defect]) -> str:
    """The content of `report.md`: the accounts and the defects as Markdown."""
    lines = [
        "# Images and defects",
        "",
        "| | in the data set | in the shards | left out |",
        "|---|---:|---:|---:|",
        f"| images | {tally.images_listed:,} | {tally.images_written:,} | {tally.images_left_out:,} |",
        f"| boxes | {tally.boxes_annotated:,} | {tally.boxes_written:,} "
        f"| {tally.boxes_left_out + tally.boxes_of_left_out_images:,} |",
        "",
        f"Images without objects (legal): {tally.images_without_objects:,}.",
        "",
    ]
    if not defects:
        return "\n".join([*lines, "No defects.", ""])
    lines += ["| defect | number | consequence |", "|---|---:|---|"]
    lines += [f"| {kind} | {number:,} | {consequence(kind)} |" for kind, number in _by_kind(defects)]
    lines += ["", "## All defects", "", *(f"- {defect}" for defect in defects), ""]
    return "\n".join(lines)


def _by_kind(defects: Iterable[Defect]) -> list[tuple[Kind, int]]:
    counts = Counter(defect.kind for defect in defects)
    return [(kind, counts[kind]) for kind in Kind if counts[kind]]
