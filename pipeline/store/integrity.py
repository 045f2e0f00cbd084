"""Comparison of a result's files with its manifest: quickly by name and size, completely by checksum.

A checksum is computed once in a process for each file and remembered with the file's identity: inode, size and time of
change on a local disk; entity tag, version and size in an object store, whose times are whole seconds.

Tested in tests/pipeline/execution/test_run_stage.py, tests/pipeline/store/test_integrity.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import PipelineError
from pipeline.folder import Folder
from pipeline.object_store import TooLarge
from pipeline.store.reading import Count, RelativePath

BLOCK = 1 << 20
"""Bytes read at once."""


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """A file of a committed result."""

    path: RelativePath
    """Relative to the output folder."""

    size: Count
    sha256: str


def first_gap(folder: Folder, files: Iterable[StoredFile]) -> str:
    """Describe the first file that is missing or has another size; empty when there is none. Reads no file."""
    return next(_gaps(folder.sizes(), files), "")


def _gaps(sizes: dict[str, int], files: Iterable[StoredFile]) -> Iterator[str]:
    for file in files:
        if file.path not in sizes:
            yield f"its file {file.path} is missing"
        elif sizes[file.path] != file.size:
            yield f"its file {file.path} has {sizes[file.path]:,} bytes instead of {file.size:,}"


def damaged(folder: Folder, files: Iterable[StoredFile]) -> list[str]:
    """Paths of the files that are missing or differ from their checksum."""
    return [file.path for file in files if _checked_sha256(folder, file.path) != file.sha256]


def refuse_damaged(address: str, folder: Folder, files: Iterable[StoredFile]) -> None:
    """Raise PipelineError that names the damaged files of a result, and the remedy."""
    if broken := damaged(folder, files):
        listed = ", ".join(broken[:5]) + (f" and {len(broken) - 5} more" if len(broken) > 5 else "")
        raise PipelineError(
            f"the result of {address} is damaged: {listed} in {folder.uri} differs from the checksum in its manifest. "
            "`ssdpipe store verify --discard` discards damaged results, and the next run computes them again"
        )


def sha256_of(folder: Folder, name: str) -> str:
    """Checksum of a file, as hexadecimal text."""
    if folder.objects:
        with suppress(TooLarge):  # a small object is one request
            return hashlib.sha256(folder.objects.read(name, BLOCK).content).hexdigest()
    running = hashlib.sha256()
    with folder.open_input(name) as stream:
        while block := stream.read(BLOCK):
            running.update(block)
    return running.hexdigest()


_known: dict[tuple[str, ...], str] = {}
"""Checksums computed in this process, by the identity of the file."""

_read: set[str] = set()
"""Objects that this process has read for their checksum."""


def _checked_sha256(folder: Folder, name: str) -> str:
    """Checksum of a file, computed once per process; empty when there is no file."""
    if folder.objects and (path := f"{folder.path}/{name}") not in _read:
        _read.add(path)
        with suppress(TooLarge, FileNotFoundError):  # the first time, content and identity are one request
            found = folder.objects.read(name, BLOCK)
            digest = hashlib.sha256(found.content).hexdigest()
            _known[path, str(len(found.content)), found.version.strip('"'), ""] = digest
            return digest
    identity = _identity(folder, name)
    if not identity:
        return ""
    if identity not in _known:
        _known[identity] = sha256_of(folder, name)
    return _known[identity]


def _identity(folder: Folder, name: str) -> tuple[str, ...]:
    """What distinguishes this state of a file from any other; empty when there is no file."""
    path = f"{folder.path}/{name}"
    if folder.is_local:
        try:
            stat = Path(path).stat()
        except OSError:
            return ()
        return path, *map(str, (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns))
    try:
        with folder.open_input(name) as stream:  # one request for its headers
            headers = {key.lower(): _text(value) for key, value in (stream.metadata() or {}).items()}
            size = stream.size()
    except FileNotFoundError:
        return ()
    changed = headers.get("etag") or str(folder.filesystem.get_file_info(path).mtime_ns)
    return path, str(size), changed.strip('"'), headers.get("versionid", "")


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
