"""Captures everything that a stage prints, from Python, C or child processes, in one log file of the run."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from typing import Any, TextIO

from pipeline.folder import Folder
from pipeline.redaction import redacted
from pipeline.terminal import LogFormatter


@contextmanager
def captured(folder: Folder, name: str) -> Iterator[None]:
    """Append this process's output and log records to a file of `folder` while the block runs.

    Lines reach a local file as they are printed, and several processes may append to it concurrently; on other file
    systems the file is written when the block ends.
    """
    if folder.is_local:
        folder.append(name, b"")
        with open(f"{folder.path}/{name}", "ab") as stream, _redirected(stream.fileno()):
            yield
        return
    with tempfile.TemporaryFile() as aside:
        try:
            with _redirected(aside.fileno()):
                yield
        finally:
            aside.seek(0)
            folder.append(name, aside.read())


def last_lines(folder: Folder, name: str, count: int = 20) -> list[str]:
    """Last lines of a log, for the report on a failure; empty when there is no such file."""
    with suppress(FileNotFoundError), folder.open_input(name) as stream:
        size = stream.size()
        stream.seek(max(0, size - 400 * count))
        text: str = stream.read().decode(errors="replace")
        return text.splitlines()[-count:]
    return []


class _Redacting:
    """A text stream without secrets; what C code and child processes print does not pass through it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(redacted(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def _redirected(target: int) -> Iterator[None]:
    """Redirect the file descriptors of stdout and stderr, and log records from level INFO on, to `target`."""
    kept = {descriptor: os.dup(descriptor) for descriptor in (1, 2)}
    streams: tuple[Any, Any] = _Redacting(sys.stdout), _Redacting(sys.stderr)
    handler = logging.StreamHandler(streams[1])
    handler.setFormatter(LogFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root, level = logging.getLogger(), logging.getLogger().level
    _flush()
    for descriptor in kept:
        os.dup2(target, descriptor)
    root.addHandler(handler)
    root.setLevel(min(level, logging.INFO))
    try:
        with redirect_stdout(streams[0]), redirect_stderr(streams[1]):
            yield
    finally:
        _flush()
        root.removeHandler(handler)
        root.setLevel(level)
        for descriptor, copy in kept.items():
            os.dup2(copy, descriptor)
            os.close(copy)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(ValueError, OSError):
            stream.flush()
