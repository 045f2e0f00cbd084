"""Copies of shards from an object store on the local disk: shared by the processes of a host, and bounded in size.

    <folder>/<sha256>           a whole shard, by its checksum
    <folder>/<sha256>.part      one that is being copied; its full size is reserved at once

A process holds a shared lock on each copy that it reads, and an exclusive one on what it writes; the kernel frees them
when it dies. Only copies without a lock are deleted, the longest unused first. A shard for which there is no room
beside those in use is read where it lies.

SSDPIPE_CACHE names the folder's parent (default ~/.cache/ssdpipe; `off`: no copies), SSDPIPE_CACHE_GB the largest size.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import math
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

DEFAULT_GB = 64.0
"""Largest size of all copies, but never more than half of what the disk has free."""

CHUNK = 1 << 20
_log = logging.getLogger(__name__)


def largest_size() -> float | None:
    """Bytes that SSDPIPE_CACHE_GB allows; None where it is not set. Raises ValueError when it is no size."""
    given = os.environ.get("SSDPIPE_CACHE_GB", "").strip()
    if not given:
        return None
    with suppress(ValueError):
        if math.isfinite(size := float(given)) and size >= 0:
            return size * 2**30
    raise ValueError(
        f"SSDPIPE_CACHE_GB={given} is no size: give the GB that copies of shards may take, such as 64, or unset it"
    )


@dataclass(frozen=True, kw_only=True)
class Copy:
    path: Path
    stream: IO[bytes]
    """Holds the lock."""

    def close(self) -> None:
        self.stream.close()


@dataclass(frozen=True, kw_only=True)
class ShardCache:
    folder: Path
    limit: int
    """Bytes of all copies together."""

    @classmethod
    def of_this_host(cls) -> ShardCache | None:
        """The cache that the environment describes; None when it is off or its folder cannot be written."""
        named = os.environ.get("SSDPIPE_CACHE", "")
        if named == "off":
            return None
        try:
            folder = Path(named or f"{os.environ.get('XDG_CACHE_HOME') or '~/.cache'}/ssdpipe").expanduser() / "shards"
            folder.mkdir(parents=True, exist_ok=True)
            room = shutil.disk_usage(folder).free / 2
        except (OSError, RuntimeError):  # RuntimeError: a user without a home folder
            return None
        limit = largest_size()
        return cls(folder=folder, limit=int(min(DEFAULT_GB * 2**30, room) if limit is None else limit))

    def copy_of(self, sha256: str, size: int, source: Any) -> Copy | None:
        """A local copy of a shard, locked until it is closed; None when there is no room or the shard is damaged.

        `source` opens the shard where it lies.
        """
        try:
            with self._locked(f"{sha256}.lock"):  # the first process copies, others wait for it
                return self._existing(sha256) or self._copied(sha256, size, source)
        except OSError as error:
            _log.warning("shards are read where they lie: %s", error)
            return None

    def _existing(self, sha256: str) -> Copy | None:
        path = self.folder / sha256
        with suppress(FileNotFoundError):
            stream = path.open("rb")
            fcntl.flock(stream, fcntl.LOCK_SH)
            if os.fstat(stream.fileno()).st_nlink and _sha256(stream) == sha256:
                os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))
                return Copy(path=path, stream=stream)
            stream.close()  # deleted meanwhile, or damaged
        return None

    def _copied(self, sha256: str, size: int, source: Any) -> Copy | None:
        part = self.folder / f"{sha256}.part"
        with self._locked(".lock"):
            if not self._make_room(size):
                return None
            stream = part.open("wb+")
            fcntl.flock(stream, fcntl.LOCK_EX)
            os.truncate(stream.fileno(), size)
        began = time.monotonic()
        try:
            with source() as remote:
                while chunk := remote.read(CHUNK):
                    stream.write(chunk)
            stream.flush()
            whole = _sha256(stream) == sha256
        except BaseException:
            _discard(part, stream)
            raise
        if not whole:
            _discard(part, stream)
            return None
        part.rename(self.folder / sha256)
        fcntl.flock(stream, fcntl.LOCK_SH)
        _log.info("waited %.1f s for a shard of %.0f MB", time.monotonic() - began, size / 1e6)
        return Copy(path=self.folder / sha256, stream=stream)

    def _make_room(self, size: int) -> bool:
        """Delete unused copies until `size` bytes fit; False when those in use leave no room."""
        files = [path for path in self.folder.iterdir() if not path.name.endswith(".lock")]
        known = {path: path.stat() for path in files}
        used = sum(stat.st_size for stat in known.values())
        for path in sorted(known, key=lambda each: known[each].st_atime_ns):
            if used + size <= self.limit:
                break
            used -= known[path].st_size if _delete_unused(path) else 0
        return used + size <= self.limit

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        with (self.folder / name).open("w") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield


def _delete_unused(path: Path) -> bool:
    with suppress(OSError), path.open("rb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink()
        return True
    return False


def _discard(part: Path, stream: IO[bytes]) -> None:
    part.unlink(missing_ok=True)
    stream.close()


def _sha256(stream: IO[bytes]) -> str:
    running = hashlib.sha256()
    stream.seek(0)
    while chunk := stream.read(CHUNK):
        running.update(chunk)
    return running.hexdigest()
