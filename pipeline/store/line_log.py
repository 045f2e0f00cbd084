"""A log of JSON lines that grows while it is read.

    <name>                         on a disk; on an object store only what earlier versions wrote
    <name>.parts/<time>-<random>   on an object store, which cannot append: parts, joined in the order of their names

A part is written again as a whole until it has `PART_BYTES`, at most every `FLUSH_SECONDS`: a curve of 60,000 steps is
a handful of objects. What was appended since the last write is lost with its process.

Tested in tests/pipeline/store/test_line_log.py.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from uuid import uuid4

from pipeline.folder import Folder
from pipeline.store.reading import LARGEST_LOG, Unreadable, read_limited

PART_BYTES = 256 << 10
FLUSH_SECONDS = 5.0


class LineLog:
    """One writer of a log; on an object store there may be several. Not thread-safe."""

    def __init__(self, folder: Folder, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder, self._name, self._clock = folder, name, clock
        self._part = ""
        self._lines: list[bytes] = []
        self._size = 0
        self._waiting = False
        self._flushed = float("-inf")

    def append(self, line: bytes) -> None:
        """Append a line, which ends with a line feed; on an object store it may stay in memory until `flush`."""
        if self._folder.is_local:
            self._folder.append(self._name, line)
            return
        if not self._part or self._size + len(line) > PART_BYTES:
            self.flush()
            self._part, self._lines, self._size = f"{self._name}.parts/{time.time_ns():020d}-{uuid4().hex[:8]}", [], 0
        self._lines.append(line)
        self._size += len(line)
        self._waiting = True
        self.flush_if_due()

    def flush_if_due(self) -> None:
        """Write what waits, unless the last write was less than `FLUSH_SECONDS` ago."""
        if self._clock() - self._flushed >= FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        if self._waiting:
            self._folder.write_bytes(self._part, b"".join(self._lines))
            self._waiting, self._flushed = False, self._clock()


def read_lines(folder: Folder, name: str) -> list[bytes]:
    """Lines of a log; none of a log that is absent or too large. Raises OSError."""
    names = [name] if folder.is_local else [each for each in folder.files() if is_part(each, name)]
    lines: list[bytes] = []
    room = LARGEST_LOG
    for each in names:
        try:
            content = read_limited(folder, each, room)
        except (Unreadable, FileNotFoundError):
            return []
        room -= len(content)
        lines += content.splitlines()
    return lines


def is_part(file: str, name: str) -> bool:
    """Whether a file belongs to the log of this name."""
    return file == name or file.startswith(f"{name}.parts/")
