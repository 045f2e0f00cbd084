"""Find the image files of a COCO annotation file for split S: in images/S, S, images, beside the file, or in the root.

Below the root, a name is found by its whole path. An image of another split never stands in for a missing one, except
that COCO's own images are found by their number in any official folder of another year: 000000000009.jpg of 2017 is
COCO_train2014_000000000009.jpg of 2014.

Tested in tests/stages/datasets/coco/test_coco_images.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from posixpath import dirname

from pipeline.folder import Folder
from stages.datasets.files_below import folders_below, images_below
from stages.datasets.reading.names import ImageNames

OWN = ("images/{}", "{}")
SHARED = ("images", "")
OFFICIAL = ("train2017", "val2017", "test2017", "train2014", "val2014", "test2014", "test2015")
USUAL = ("train", "trainval", "val", "valid", "validation", "test")
"""Names of splits whose folders are not searched for another split, even where they have no annotation file."""


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

    sizes: Mapping[str, int]
    """Size in bytes of every image file, by its path inside the folder."""

    names: ImageNames
    by_number: Mapping[int, str]

    def find(self, file_name: str) -> ImageFile | None:
        """The file of an image, by name or by COCO's number; None when there is none."""
        path = self.names.find(file_name)
        if path is None and (number := _number(file_name)) is not None:
            path = self.by_number.get(number)
        return None if path is None else ImageFile(path=path, size=self.sizes[path])


def find_images(folder: Folder, files: Mapping[str, str], splits: Iterable[str]) -> CocoImages:
    """All image files that `files`, {split: annotation file}, may refer to; `splits` are all splits of the folder."""
    sizes, searched = images_below(folder), places(files)
    others = list(_others(sizes, files, splits))
    rank = {place: number for number, place in enumerate(searched)}
    numbered = ((rank[dirname(path)], path) for path in sizes if dirname(path) in rank)
    by_number: dict[int, str] = {}
    for _, path in sorted(numbered):
        if (number := _number(path)) is not None:
            by_number.setdefault(number, path)
    return CocoImages(sizes=sizes, names=ImageNames(sizes, places=searched, others=others), by_number=by_number)


def places(files: Mapping[str, str]) -> list[str]:
    """Folders to search, the most likely first."""
    own = [pattern.format(split) for split in files for pattern in OWN]
    official = [pattern.format(name) for name in OFFICIAL if _may_lie_in(name, files) for pattern in OWN]
    return list(dict.fromkeys([*own, *SHARED, *(dirname(file) for file in files.values()), *official]))


def image_folders(folder: Folder) -> list[str]:
    """Folders that may hold images: all."""
    return list(folders_below(folder))


def _may_lie_in(official: str, splits: Iterable[str]) -> bool:
    """Whether an official folder may hold images of a split: not if it is another official split of the same year."""
    return any(split == official or split not in OFFICIAL or split[-4:] != official[-4:] for split in splits)


def _others(paths: Iterable[str], files: Mapping[str, str], splits: Iterable[str]) -> Iterator[str]:
    """Folders whose images are found by their whole path only: those of other splits, and any not searched."""
    searched = [place for place in places(files) if place]
    above = {place.partition("/")[0] for place in searched}
    top = {path.partition("/")[0] for path in paths if "/" in path} - above
    named = {pattern.format(name) for name in (*splits, *USUAL, *OFFICIAL) for pattern in OWN}
    for other in sorted(top | named):
        if not any(f"{place}/".startswith(f"{other}/") for place in searched):
            yield other


def _number(file_name: str) -> int | None:
    match = re.fullmatch(r"(?:.*/)?(?:COCO_\w+_)?(\d{12})\.jpg", file_name)
    return int(match[1]) if match else None
