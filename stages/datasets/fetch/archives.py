"""Unpack archives of data sets, tar and zip; continue where a killed run stopped.

A file is written under a temporary name and then renamed, so that a file under its final name is complete. Zip archives
carry a checksum of each member, which is verified on reading. An archive that is damaged, or whose members may not be
unpacked, is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from pipeline.errors import PipelineError
from stages.datasets.fetch.members import Member, damaged, members_of
from stages.datasets.fetch.targets import PART, targets_of

Progress = Callable[[int, int], None]
"""Called with the number of members done and of all members."""

_CHUNK = 1 << 20


def unpack(archive: Path, folder: Path, progress: Progress) -> int:
    """Unpack all files of `archive` below `folder` and return their number; complete ones are kept.

    Raises PipelineError when the archive is damaged or cannot be written, and before anything is written when it would
    take too much disk, or when a member lies outside `folder` or has a name that cannot be used.
    """
    with members_of(archive) as members:
        targets = targets_of((member.name for member in members), folder, archive)
        for number, (member, target) in enumerate(zip(members, targets, strict=True), start=1):
            _write(member, target, archive)
            progress(number, len(members))
        return len(members)


def _write(member: Member, target: Path, archive: Path) -> None:
    if target.is_file() and target.stat().st_size == member.size:
        return
    content = _content(member, archive)
    partial_file = target.with_name(f"{target.name}{PART}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with partial_file.open("wb") as sink:
            sink.writelines(content)
        partial_file.replace(target)
    except OSError as error:
        raise PipelineError(
            f"{target} of {archive} cannot be written ({error.strerror}): free the disk or the name, and run the "
            "command again; it continues where it stopped"
        ) from error


def _content(member: Member, archive: Path) -> Iterator[bytes]:
    try:
        with member.open() as source:
            while chunk := source.read(_CHUNK):
                yield chunk
    except Exception as error:  # a damaged archive makes the decompressors raise errors of many types
        raise damaged(archive, error) from error
