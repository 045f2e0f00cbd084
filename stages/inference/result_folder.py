"""The folder of results: pictures with boxes, a page to look through them, crops, and files of labels.

Tested in tests/experiments/cli/test_detect.py.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from stages.figures.style import class_colour, ink_on
from stages.inference.drawing import encoded
from stages.inference.image_detections import ImageDetections
from stages.inference.label_files import common_file, label_file
from stages.inference.label_format import LabelFormat
from stages.reporting.rendering import render

PAGE = "index.html"
LISTED = 12
"""Detections of a picture that the page lists with their scores, highest first; further ones are counted by class."""


@dataclass(kw_only=True)
class ResultFolder:
    """Add the pictures one by one, then finish."""

    folder: Path
    title: str
    classes: tuple[str, ...]
    labels: LabelFormat | None = None
    crops: bool = False
    _cards: list[dict[str, Any]] = field(default_factory=list)
    _labelled: list[tuple[str, ImageDetections]] = field(default_factory=list)
    _counts: Counter[str] = field(default_factory=Counter)

    def add(self, place: str, found: ImageDetections) -> None:
        """Write what is written for each picture."""
        drawn = f"drawn/{place}.jpg"
        self._write(drawn, encoded(found.drawn()))
        if self.crops:
            for number, (item, crop) in enumerate(zip(found, found.crops(), strict=True), start=1):
                self._write(f"crops/{safe(item.name)}/{place}-{number}.jpg", encoded(crop))
        if self.labels and (file := label_file(found, place, self.labels)):
            self._write(file[0], file[1].encode())
        if self.labels == "coco":
            self._labelled.append((place, found.without_picture()))
        self._counts.update(found.names)
        self._cards.append(card(found, drawn))

    def finish(self, unreadable: dict[str, str]) -> Path:
        """Write what is common to all, and return the page."""
        if self.labels and (file := common_file(self._labelled, self.classes, self.labels)):
            self._write(file[0], file[1].encode())
        page = render(
            "detections.html",
            title=self.title,
            cards=self._cards,
            classes=[(name, count, *_colours(self.classes.index(name))) for name, count in self._counts.most_common()],
            unreadable=unreadable,
            objects=self._counts.total(),
        )
        return self._write(PAGE, page.encode())

    def _write(self, name: str, content: bytes) -> Path:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return file


def card(found: ImageDetections, drawn: str) -> dict[str, Any]:
    """What the page shows of one picture."""
    items = list(zip(found, found.labels.tolist(), strict=True))
    others = Counter(item.name for item, _ in items[LISTED:]).most_common()
    return {
        "name": found.name,
        "link": quote(drawn),
        "size": f"{found.width}×{found.height}",
        "items": [(item.name, f"{item.score:.2f}", *_colours(label)) for item, label in items[:LISTED]],
        "others": ", ".join(f"{count:,} {name}" for name, count in others),
        "classes": sorted(set(found.names)),
    }


def safe(name: str) -> str:
    """A class name as the name of a folder."""
    return "".join("_" if letter in '/\\:*?"<>|' else letter for letter in name).strip(". ") or "_"


def _colours(label: int) -> tuple[str, str]:
    """Colour of a class, and of text on it."""
    colour = class_colour(label)
    return "#" + "".join(f"{round(255 * value):02x}" for value in colour), ink_on(colour)
