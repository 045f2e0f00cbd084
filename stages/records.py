"""What is wrong in a data set, what was done about it, and the report that accounts for every image and box.

Nothing is dropped silently: images listed = images written + images left out, and boxes annotated =
boxes written + boxes left out + boxes of left-out images.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any

Box = tuple[float, float, float, float]


class Kind(StrEnum):
    """A defect of an image, of a box, or of a description that the image itself corrects."""

    MISSING_ANNOTATION = "missing annotation"
    BROKEN_XML = "broken XML"
    MISSING_IMAGE = "missing image"
    UNREADABLE_IMAGE = "unreadable or truncated image"
    DUPLICATE_ID = "id listed twice"
    UNREADABLE_BOX = "box without four finite numbers"
    ZERO_AREA = "zero area"
    OUTSIDE = "box outside its image"
    IGNORED_CLASS = "class ignored on request"
    SWAPPED_CORNERS = "swapped corners"
    CLIPPED = "box across the border"
    WRONG_SIZE = "wrong size in XML"
    MISNAMED = "extension of another format"


IMAGE_LEFT_OUT = frozenset(
    {Kind.MISSING_ANNOTATION, Kind.BROKEN_XML, Kind.MISSING_IMAGE, Kind.UNREADABLE_IMAGE, Kind.DUPLICATE_ID}
)
BOX_LEFT_OUT = frozenset({Kind.UNREADABLE_BOX, Kind.ZERO_AREA, Kind.OUTSIDE, Kind.IGNORED_CLASS})
LEGAL = frozenset({Kind.IGNORED_CLASS, Kind.MISNAMED})
"""Told in the report, but accepted also by a strict sharding."""


def consequence(kind: Kind) -> str:
    """What a defect did to the data."""
    if kind in IMAGE_LEFT_OUT:
        return "image left out"
    if kind in BOX_LEFT_OUT:
        return "box left out"
    return "noted" if kind in LEGAL else "repaired"


@dataclass(frozen=True, kw_only=True)
class Defect:
    """One thing wrong at one place."""

    kind: Kind
    source: str
    file: str
    """Path inside the data set's folder."""

    detail: str
    object: int | None = None
    """Number of the object in its annotation file, from 0; None when the image as a whole is meant."""

    def __str__(self) -> str:
        place = self.file if self.object is None else f"{self.file}, object {self.object}"
        return f"{self.source}: {place}: {self.kind} ({self.detail})"


@dataclass(frozen=True, kw_only=True)
class Tally:
    """Counts over some of the images; tallies add up."""

    images_listed: int = 0
    images_written: int = 0
    images_left_out: int = 0
    images_without_objects: int = 0
    """Of those written. Legal: all of the image is background."""

    boxes_annotated: int = 0
    boxes_written: int = 0
    boxes_left_out: int = 0
    boxes_of_left_out_images: int = 0
    """As far as their annotations can be read."""

    def __add__(self, other: Tally) -> Tally:
        return Tally(**{part.name: getattr(self, part.name) + getattr(other, part.name) for part in fields(self)})


def report(tally: Tally, defects: Sequence[Defect]) -> dict[str, Any]:
    """The content of `report.json`: the accounts, how many defects of each kind, and each one with its place."""
    return {
        **asdict(tally),
        "defects": {kind.value: number for kind, number in _by_kind(defects)},
        "list": [asdict(defect) | {"consequence": consequence(defect.kind)} for defect in defects],
    }


def readable_report(tally: Tally, defects: Sequence[Defect]) -> str:
    """The same as Markdown."""
    lines = [
        "# What was read",
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
        return "\n".join([*lines, "No defects were found.", ""])
    lines += ["| defect | number | consequence |", "|---|---:|---|"]
    lines += [f"| {kind} | {number:,} | {consequence(kind)} |" for kind, number in _by_kind(defects)]
    lines += ["", "## Each one", "", *(f"- {defect}" for defect in defects), ""]
    return "\n".join(lines)


def _by_kind(defects: Iterable[Defect]) -> list[tuple[Kind, int]]:
    counts = Counter(defect.kind for defect in defects)
    return [(kind, counts[kind]) for kind in Kind if counts[kind]]
