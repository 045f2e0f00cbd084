"""The interface of the writers of layouts, and the account of what a layout cannot hold.

Tested in tests/stages/conversion/test_convert.py.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ssd_core.data.shards import Row


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where an image of the source goes."""

    name: str
    """Name of its file without the extension; unique in the data set."""

    suffix: str
    splits: Sequence[str]
    """Splits that list it; at least one."""

    place: str
    """Its file in the source, for the account of losses."""

    exif_rotated: bool = False

    @property
    def file(self) -> str:
        return self.name + self.suffix


@dataclass(kw_only=True)
class Losses:
    """What cannot be converted: counts by description, each with its first place."""

    counts: dict[str, int] = field(default_factory=dict)
    first: dict[str, str] = field(default_factory=dict)

    def add(self, what: str, place: str, number: int = 1) -> None:
        if number:
            self.counts[what] = self.counts.get(what, 0) + number
            self.first.setdefault(what, place)

    def described(self) -> list[str]:
        """One line for each: "crowd regions, left out: 3, first in a.jpg"."""
        return [f"{what}: {number:,}, first in {self.first[what]}" for what, number in self.counts.items()]


@dataclass(kw_only=True)
class LayoutWriter(ABC):
    """Writes one data set, image by image."""

    out: Path
    classes: Sequence[str]
    splits: Sequence[str]
    has_stated_areas: bool
    """Whether areas and annotation ids of the rows were stated by the source, as in COCO."""

    losses: Losses = field(default_factory=Losses)
    boxes: int = 0
    """Number of boxes written, those of an image in several splits once."""

    images: int = 0

    @abstractmethod
    def add(self, target: Target, row: Row) -> None:
        """Write an image with its objects."""

    @abstractmethod
    def finish(self) -> None:
        """Write what concerns the whole data set."""

    def write(self, file: str, content: bytes | str) -> None:
        place = self.out / file
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)


def number(value: float) -> str:
    """A coordinate as text, without decimals where it is whole."""
    return f"{value:.4f}".rstrip("0").rstrip(".")
