"""The archive of a bundle: an uncompressed tar whose bytes depend on nothing but the names and contents of its files.

So every byte of it counts: unpacked and packed again, it is equal, or the first byte that is not can be named.

Tested in tests/stages/bundles/test_tar_file.py.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path
from typing import IO, Any

from pipeline.errors import PipelineError
from stages.datasets.fetch.archives import unpack

_BLOCK = 1 << 20


def pack(folder: Path, archive: Path) -> str:
    """Pack all files below a folder and return the checksum of the archive, which is replaced as a whole."""
    partial_file = archive.with_name(f"{archive.name}.part")
    try:
        with partial_file.open("wb") as sink:
            _write(folder, sink)
        with partial_file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        partial_file.replace(archive)
    except OSError as error:
        partial_file.unlink(missing_ok=True)
        raise PipelineError(f"{archive} cannot be written ({error.strerror})") from error
    return digest


def unpacked(archive: Path, folder: Path, *, index: str = "") -> str:
    """Unpack an archive by the rules for all archives, and return its checksum.

    Raises PipelineError when it is damaged or breaks a rule, lacks the member `index`, or has a byte that its members
    do not account for.
    """
    if not archive.is_file():
        raise PipelineError(f"there is no file {archive}")
    if not tarfile.is_tarfile(archive):
        raise PipelineError(
            f"{archive} is not a bundle, or its first bytes were changed: it is no tar archive; "
            "`ssdpipe bundle` writes bundles"
        )
    unpack(archive, folder, lambda _done, _all: None)
    if index and not (folder / index).is_file():
        raise PipelineError(f"{archive} is not a bundle: it lacks {index}; `ssdpipe bundle` writes bundles")
    with archive.open("rb") as stream:
        packed: Any = _Compared(stream)
        _write(folder, packed)
        if (place := packed.first_difference()) is not None:
            raise PipelineError(
                f"{archive} was changed: its byte {place:,} lies outside the contents of its members and is not as "
                "`ssdpipe bundle` writes it"
            )
        stream.seek(0)
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _write(folder: Path, sink: IO[bytes]) -> None:
    with tarfile.open(fileobj=sink, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            info = tarfile.TarInfo(path.relative_to(folder).as_posix())  # no owner, no time, mode 644
            info.size = path.stat().st_size
            with path.open("rb") as stream:
                tar.addfile(info, stream)


class _Compared(io.RawIOBase):
    """A sink that compares what is written with a stream, from its start."""

    def __init__(self, expected: IO[bytes]) -> None:
        self._expected = expected
        self._place = 0
        self._difference: int | None = None

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def write(self, content: bytes) -> int:  # type: ignore[override]
        for start in range(0, len(content), _BLOCK):
            part = content[start : start + _BLOCK]
            found = self._expected.read(len(part))
            if found != part and self._difference is None:
                equal = next((at for at, (a, b) in enumerate(zip(found, part, strict=False)) if a != b), len(found))
                self._difference = self._place + equal
            self._place += len(part)
        return len(content)

    def first_difference(self) -> int | None:
        """Place of the first byte that differs; None if all are equal."""
        if self._difference is None and self._expected.read(1):
            return self._place
        return self._difference
