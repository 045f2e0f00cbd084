"""Tar archives as streams of headers, read with limits that Python's tarfile lacks.

Compression is detected by the first bytes.

Tested in tests/stages/datasets/fetch/test_archives.py.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

MOST_AT_ONCE = 16 << 20
"""Bytes of one read, 16 MiB. Contents are read in smaller pieces, but long names and pax headers at once, so that a
header of 10 GB of zeros, 10 KB when compressed, would fill the memory."""


class _Limited:
    """The decompressed bytes, with what was read last."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.last = b""

    def read(self, size: int) -> bytes:
        if not 0 <= size <= MOST_AT_ONCE:
            raise tarfile.ReadError(f"a header of {size:,} bytes at byte {self.tell():,}")
        self.last = self._stream.read(size)
        return self.last

    def seek(self, position: int) -> int:
        return int(self._stream.seek(position))

    def tell(self) -> int:
        return int(self._stream.tell())


def open_tar(archive: Path, stack: ExitStack) -> tarfile.TarFile:
    """Open a tar, compressed or not; `stack` closes it."""
    with archive.open("rb") as stream:
        start = stream.read(6)
    stream = stack.enter_context(_decompressed(archive, start))
    fileobj: Any = _Limited(stream)
    return stack.enter_context(tarfile.TarFile(fileobj=fileobj))


def _decompressed(archive: Path, start: bytes) -> Any:
    if start.startswith(b"\x1f\x8b"):
        return gzip.open(archive)
    if start.startswith(b"BZh"):
        return bz2.open(archive)
    if start.startswith(b"\xfd7zXZ"):
        return lzma.open(archive)
    return archive.open("rb")


def regular_files(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """Yield the regular files. Raises ReadError if a header is damaged, which tarfile takes for the end.

    Reads to the end of the file, where compressed files have their checksums.
    """
    for info in tar:
        if info.size < 0:  # tarfile would go back and read the same headers for ever
            raise tarfile.ReadError(f"{info.name!r} has a size of {info.size}")
        if info.isfile():
            yield info
    stream: Any = tar.fileobj
    if any(stream.last):
        raise tarfile.ReadError(f"no header at byte {tar.offset:,}")
    if len(stream.read(MOST_AT_ONCE)) == MOST_AT_ONCE:
        raise tarfile.ReadError(f"more than {MOST_AT_ONCE:,} bytes follow the last header")
