"""Members of an archive, tar or zip, and what an archive may take.

How much an archive takes is known from its headers, before anything is written.

Tested in tests/stages/datasets/fetch/test_archives.py.
"""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from pipeline.errors import PipelineError
from stages.datasets.fetch.tar_stream import open_tar, regular_files

MOST_BYTES = 1 << 40
"""Largest total of an archive, 1 TiB: COCO's largest is 19 GB, that of ImageNet's classification 150 GB."""

MOST_TIMES = 200
"""Largest ratio of the total to the size of the archive. Photographs hardly shrink, annotations in XML and JSON by a
factor of 5 to 50; deflate reaches 1000 on zeros."""

ALWAYS_ALLOWED = 1 << 30
"""Total up to which any ratio is accepted, 1 GiB: equal small files in a compressed tar shrink by more than
`MOST_TIMES`, and do no harm."""

_TAR_MAGIC, _TAR_MAGIC_AT = b"ustar", 257
_ENCRYPTED = 1  # bit of `ZipInfo.flag_bits`


@dataclass(frozen=True, kw_only=True)
class Member:
    """A regular file in an archive."""

    name: str
    size: int
    open: Callable[[], IO[bytes]]


@contextmanager
def members_of(archive: Path) -> Iterator[list[Member]]:
    """Give the regular files of an archive, without links and devices, which no data set needs.

    Raises PipelineError when the archive is damaged, encrypted, or takes more than the limits above.
    """
    with ExitStack() as stack:
        try:
            listing = _zipped(archive, stack) if _is_zip(archive) else _tarred(archive, stack)
            members = list(_within_limits(listing, archive))
        except (PipelineError, FileNotFoundError):
            raise
        except Exception as error:  # damaged archives make their readers raise errors of many types
            raise damaged(archive, error) from error
        yield members


def damaged(archive: Path, error: Exception) -> PipelineError:
    return PipelineError(f"{archive} is damaged ({error or type(error).__name__}); delete it and download it again")


def _is_zip(archive: Path) -> bool:
    """Whether it is a zip archive, which is recognised by its end; a tar whose last member is one is a tar."""
    with archive.open("rb") as stream:
        stream.seek(_TAR_MAGIC_AT)
        is_tar = stream.read(len(_TAR_MAGIC)) == _TAR_MAGIC
    return not is_tar and zipfile.is_zipfile(archive)


def _zipped(archive: Path, stack: ExitStack) -> Iterator[Member]:
    packed = stack.enter_context(zipfile.ZipFile(archive))
    for info in packed.infolist():
        if info.flag_bits & _ENCRYPTED:
            raise PipelineError(f"{info.filename!r} of {archive} is encrypted; unpack the archive with its password")
        if not info.is_dir():
            yield Member(name=info.filename, size=info.file_size, open=partial(packed.open, info))


def _tarred(archive: Path, stack: ExitStack) -> Iterator[Member]:
    tar = open_tar(archive, stack)
    for info in regular_files(tar):
        yield Member(name=info.name, size=info.size, open=partial(_opened, tar, info))


def _opened(tar: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    stream = tar.extractfile(info)
    assert stream is not None, "members are regular files"
    return stream


def _within_limits(members: Iterator[Member], archive: Path) -> Iterator[Member]:
    """Pass the members on until their total exceeds a limit, which of a compressed tar is known only member by member.

    Raises PipelineError.
    """
    size, total = archive.stat().st_size, 0
    most = min(MOST_BYTES, max(ALWAYS_ALLOWED, MOST_TIMES * size))
    for member in members:
        total += member.size
        if total > most:
            raise PipelineError(
                f"{archive} of {size:,} bytes takes at least {total:,} bytes unpacked, more than {most:,}: the limits "
                f"are {MOST_TIMES} times its size (but at least {ALWAYS_ALLOWED:,} bytes) and {MOST_BYTES:,} bytes; "
                "nothing was unpacked. If you trust the archive, unpack it with another program"
            )
        yield member
