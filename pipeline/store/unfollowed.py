"""What lies in a store itself: symbolic links are neither followed nor deleted through, wherever they lead.

Object stores have no links.

Tested in tests/experiments/cli/store/test_links.py.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pyarrow import fs

from pipeline.folder import Folder


@dataclass(frozen=True, kw_only=True)
class Found:
    """A file in a folder."""

    path: str
    """Relative to the folder."""

    size: int
    changed: float
    """Time of the last change, in seconds since 1970."""


def files_of(folder: Folder, path: str = "") -> Iterator[Found]:
    """All files below a path, or the file at it."""
    if folder.is_local:
        if not link_on(folder, path):
            yield from _local(Path(folder.path), path)
        return
    place = f"{folder.path}/{path}".rstrip("/")
    start = folder.filesystem.get_file_info(place)
    below = folder.filesystem.get_file_info(fs.FileSelector(place, recursive=True, allow_not_found=True))
    for info in [start, *below]:
        if info.type == fs.FileType.File:
            yield Found(path=info.path[len(folder.path) + 1 :], size=info.size, changed=(info.mtime_ns or 0) / 1e9)


def names_in(folder: Folder, path: str) -> list[str]:
    """Names of the files and folders at a path, sorted; links are left out."""
    if not folder.is_local:
        selector = fs.FileSelector(f"{folder.path}/{path}", allow_not_found=True)
        return sorted(str(info.base_name) for info in folder.filesystem.get_file_info(selector))
    place = Path(folder.path, path)
    if link_on(folder, path) or not place.is_dir():
        return []
    return sorted(entry.name for entry in os.scandir(place) if not entry.is_symlink())


def links_of(folder: Folder) -> list[str]:
    """All links below a local folder."""
    if not folder.is_local:
        return []
    walked = os.walk(folder.path)
    links = (Path(place, name) for place, folders, files in walked for name in (*folders, *files))
    return sorted(str(link.relative_to(folder.path)) for link in links if link.is_symlink())


def link_on(folder: Folder, path: str) -> str:
    """The first part of a path below a local folder that is a link; empty when there is none."""
    parts = Path(path).parts if folder.is_local else ()
    steps = ("/".join(parts[: count + 1]) for count in range(len(parts)))
    return next((step for step in steps if Path(folder.path, step).is_symlink()), "")


def delete_at(folder: Folder, path: str) -> None:
    """Delete a file, or a folder with everything in it; of a link only the link. Nothing behind a link is deleted."""
    link = link_on(folder, path)
    if link == path:
        Path(folder.path, path).unlink()
    elif not link:
        folder.delete(path)


def _local(root: Path, path: str) -> Iterator[Found]:
    place = root / path
    if place.is_dir():
        for entry in sorted(os.scandir(place), key=lambda entry: entry.name):
            if not entry.is_symlink():
                yield from _local(root, f"{path}/{entry.name}".lstrip("/"))
    elif place.is_file():
        stat = place.stat()
        yield Found(path=path, size=stat.st_size, changed=stat.st_mtime)
