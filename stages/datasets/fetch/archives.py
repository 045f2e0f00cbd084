"""Unpack archives of data sets, tar and zip; continue where a killed run stopped.

A file is written under a temporary name and then renamed, so that a file under its final name is complete. Zip archives
carry a checksum of each member, which is verified on reading. An archive with a member outside the folder is refused.
"""

from __future__ import annotations

import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from pipeline.errors import PipelineError

Progress = Callable[[int, int], None]
"""Called with the number of members done and of all members."""


@dataclass(frozen=True, kw_only=True)
class _Member:
    name: str
    size: int
    open: Callable[[], IO[bytes]]


def unpack(archive: Path, folder: Path, progress: Progress) -> int:
    """Unpack all files of `archive` below `folder` and return their number; complete ones are kept.

    Raises PipelineError when the archive is damaged, or when a member lies outside `folder`; in the latter case
    before anything is written.
    """
    try:
        with _members(archive) as members:
            targets = [_inside(folder, member.name, archive) for member in members]
            for number, (member, target) in enumerate(zip(members, targets, strict=True), start=1):
                _write(member, target)
                progress(number, len(members))
            return len(members)
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise PipelineError(f"{archive} is damaged ({error}); delete it and download it again") from error


@contextmanager
def _members(archive: Path) -> Iterator[list[_Member]]:
    """Regular files of an archive, without links and devices, which no data set needs."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as packed:
            files = [info for info in packed.infolist() if not info.is_dir()]
            yield [_Member(name=info.filename, size=info.file_size, open=partial(packed.open, info)) for info in files]
    else:
        with tarfile.open(archive) as tar:
            regular = [info for info in tar if info.isfile()]
            yield [_Member(name=info.name, size=info.size, open=partial(_opened, tar, info)) for info in regular]


def _opened(tar: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    stream = tar.extractfile(info)
    assert stream is not None, "members are regular files"
    return stream


def _inside(folder: Path, name: str, archive: Path) -> Path:
    target = folder / name
    if not target.resolve().is_relative_to(folder.resolve()):
        raise PipelineError(f"{archive} holds {name!r}, which lies outside {folder}; nothing was unpacked")
    return target


def _write(member: _Member, target: Path) -> None:
    if target.is_file() and target.stat().st_size == member.size:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    partial_file = target.with_name(f"{target.name}.part")
    with member.open() as source, partial_file.open("wb") as sink:
        shutil.copyfileobj(source, sink, 1 << 20)
    partial_file.replace(target)
