"""The files below a folder of a data set, however deep; folders whose name begins with a dot are skipped.

Tested in tests/stages/datasets/csv_files/test_csv_boxes.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import splitext

from pyarrow import fs

from pipeline.external.stamp import glance
from pipeline.folder import Folder
from stages.datasets.image_check import SUFFIXES
from stages.datasets.source import entries

DEEPEST = 8
"""Number of levels of subfolders that are searched; links may lead back to a folder above."""


def files_below(folder: Folder, place: str = "", depth: int = DEEPEST) -> Iterator[tuple[str, int]]:
    """Path inside `folder` and size in bytes of each file below `place`, sorted; none if `place` does not exist."""
    for entry in entries(folder / place if place else folder):
        path = f"{place}/{entry.base_name}".lstrip("/")
        if entry.type != fs.FileType.Directory:
            yield path, entry.size or 0
        elif depth and not entry.base_name.startswith("."):
            yield from files_below(folder, path, depth - 1)


def images_below(folder: Folder, place: str = "") -> dict[str, int]:
    """Size in bytes of each image file below `place`, by its path inside `folder`."""
    return {path: size for path, size in files_below(folder, place) if is_image(path)}


def folders_below(folder: Folder, place: str = "", depth: int = DEEPEST, *, sizes_only: bool = True) -> Iterator[str]:
    """`place` and its subfolders, as paths inside `folder`: the folders of which `files_below` lists the files.

    A stamp that covers these folders with the same `sizes_only` need not look at them again.
    """
    yield place
    for name in glance(folder, place, sizes_only=sizes_only).folders if depth else ():
        if not name.startswith("."):
            yield from folders_below(folder, f"{place}/{name}".lstrip("/"), depth - 1, sizes_only=sizes_only)


def is_image(path: str) -> bool:
    """Whether the extension is that of an image format."""
    return splitext(path)[1].lower() in SUFFIXES
