"""The stamp of files outside the store: equal as long as no file was changed, added, removed or replaced.

For a local file it covers size, mtime, ctime, inode number and device: `cp -p` over a file or `touch -r` shows in the
ctime, a renamed file in the inode number. Object stores report only size and time.

A timestamp cannot reveal a second change within the same clock tick, so the stamp of files changed less than `RACY_NS`
before it was taken is not `settled`; git calls such entries of its index racily clean.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pyarrow import fs

from pipeline.external.snapshot import remembered
from pipeline.folder import Folder

RACY_NS = 2_000_000_000
"""The coarsest clock among file systems, that of FAT."""


@dataclass(frozen=True, kw_only=True)
class FilesRead:
    """Files that an answer depends on, by name in a folder; a folder's name stands for all files directly in it."""

    contents: Sequence[str]
    """Files whose content matters."""

    sizes: Sequence[str]
    """Files of which only name and size matter."""


@dataclass(frozen=True, kw_only=True)
class Stamp:
    digest: str
    settled: bool


@dataclass(frozen=True, kw_only=True)
class Glance:
    """Quickly determined state of a file, or of the files directly in a folder."""

    digest: str
    """Differs when a name or size differs and, unless by sizes only, when the content of a file may have changed."""

    changed_ns: int
    """Time of the newest change of a file; 0 when by sizes only."""

    folders: tuple[str, ...]
    """Names of subfolders."""


def stamp_of(folder: Folder, files: FilesRead) -> Stamp:
    """The current stamp of some files."""
    now = time.time_ns()
    contents = [glance(folder, name) for name in dict.fromkeys(files.contents)]
    sizes = [glance(folder, name, sizes_only=True) for name in dict.fromkeys(files.sizes)]
    newest = max((each.changed_ns for each in contents), default=0)
    return Stamp(digest=_sha256(each.digest for each in [*contents, *sizes]), settled=newest < now - RACY_NS)


def glance(folder: Folder, name: str = "", *, sizes_only: bool = False) -> Glance:
    """Glance at a file or folder within a folder; one that does not exist counts as empty."""
    place = folder / name if name else folder
    return remembered(("glance", place.uri, sizes_only), lambda: _glance(place, sizes_only))


def _glance(place: Folder, sizes_only: bool) -> Glance:
    entries = list(_local(Path(place.path)) if place.is_local else _remote(place.filesystem, place.path))
    files = [entry for entry in entries if not entry.is_folder]
    return Glance(
        digest=_sha256(sorted(f"{file.name} {file.marks[0] if sizes_only else file.marks}" for file in files)),
        changed_ns=0 if sizes_only else max((max(file.marks[1:3]) for file in files), default=0),
        folders=tuple(sorted(entry.name for entry in entries if entry.is_folder)),
    )


class _Entry(NamedTuple):
    name: str
    is_folder: bool
    marks: tuple[int, ...]
    """Its size, one or two times of its last change, and what else distinguishes it from a replacement."""


def _local(path: Path) -> Iterator[_Entry]:
    if path.is_file():
        yield _marked("", path.stat())
    elif path.exists():
        with os.scandir(path) as inside:
            for each in inside:
                with suppress(OSError):  # a dangling link
                    yield _marked(each.name, each.stat())


def _marked(name: str, about: os.stat_result) -> _Entry:
    marks = (about.st_size, about.st_mtime_ns, about.st_ctime_ns, about.st_ino, about.st_dev)
    return _Entry(name, stat.S_ISDIR(about.st_mode), marks)


def _remote(filesystem: fs.FileSystem, path: str) -> Iterator[_Entry]:
    itself = filesystem.get_file_info(path)
    inside = filesystem.get_file_info(fs.FileSelector(path)) if itself.type == fs.FileType.Directory else [itself]
    for each in inside:
        if each.type != fs.FileType.NotFound:
            marks = (each.size or 0, each.mtime_ns or 0)
            yield _Entry(str(each.base_name), each.type == fs.FileType.Directory, marks)


def _sha256(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode(errors="surrogateescape")).hexdigest()
