"""Find the image files of a COCO annotation file for split S: in images/S, S, images, beside the file, or in the root.

COCO's own images are found by their number in any official folder: 000000000009.jpg of 2017 is
COCO_train2014_000000000009.jpg of 2014.

Tested in tests/stages/datasets/test_coco.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from posixpath import dirname

from pyarrow import fs

from pipeline.external.stamp import glance
from pipeline.folder import Folder
from stages.datasets.source import entries, image_entries

PLACES = ("images/{}", "{}", "images", "")
OFFICIAL = ("train2017", "val2017", "test2017", "train2014", "val2014", "test2014", "test2015")


@dataclass(frozen=True, kw_only=True)
class ImageFile:
    """One image file."""

    path: str
    """Path inside the folder of the data set."""

    size: int
    """In bytes."""


@dataclass(frozen=True, kw_only=True)
class CocoImages:
    """Image files that a split may refer to."""

    by_name: Mapping[str, ImageFile]
    by_number: Mapping[int, ImageFile]

    def find(self, file_name: str) -> ImageFile | None:
        """The file of an image, by name or by COCO's number; None when there is none."""
        number = _number(file_name)
        return self.by_name.get(file_name) or (None if number is None else self.by_number.get(number))


def find_images(folder: Folder, files: Mapping[str, str]) -> CocoImages:
    """All image files that `files`, {split: annotation file}, may refer to."""
    by_name: dict[str, ImageFile] = {}
    by_number: dict[int, ImageFile] = {}
    for place in places(files):
        for name, file in _below(folder, place):
            by_name.setdefault(name, file)
            if (number := _number(name)) is not None:
                by_number.setdefault(number, file)
    return CocoImages(by_name=by_name, by_number=by_number)


def places(files: Mapping[str, str]) -> list[str]:
    """Folders to search, the most likely first."""
    own = [pattern.format(split) for split in files for pattern in PLACES]
    official = [pattern.format(name) for name in OFFICIAL for pattern in PLACES[:2]]
    return list(dict.fromkeys([*own, *(dirname(file) for file in files.values()), *official]))


def image_folders(folder: Folder, files: Mapping[str, str]) -> list[str]:
    """Folders to search, and their subfolders."""
    inside = {place: glance(folder, place, sizes_only=True).folders for place in places(files)}
    inner = [f"{place}/{name}".lstrip("/") for place, names in inside.items() for name in names]
    return list(dict.fromkeys([*inside, *inner]))


def _below(folder: Folder, place: str) -> Iterator[tuple[str, ImageFile]]:
    """Images in a folder and its subfolders, each with the name that an annotation file may use for it."""
    at = folder / place if place else folder
    inner = [f"{entry.base_name}/" for entry in entries(at) if entry.type == fs.FileType.Directory]
    for start in ("", *inner):
        for file in image_entries(at / start.rstrip("/") if start else at):
            name = f"{start}{file.base_name}"
            yield name, ImageFile(path=f"{place}/{name}".lstrip("/"), size=file.size)


def _number(file_name: str) -> int | None:
    match = re.fullmatch(r"(?:.*/)?(?:COCO_\w+_)?(\d{12})\.jpg", file_name)
    return int(match[1]) if match else None
