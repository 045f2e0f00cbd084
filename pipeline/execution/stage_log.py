"""Captures everything that a stage prints, from Python, C or child processes, in one log file of the run."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from pipeline.folder import Folder


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


@contextmanager
def _redirected(target: int) -> Iterator[None]:
    """Redirect the file descriptors of stdout and stderr, and log records from level INFO on, to `target`."""
    kept = {descriptor: os.dup(descriptor) for descriptor in (1, 2)}
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root, level = logging.getLogger(), logging.getLogger().level
    _flush()
    for descriptor in kept:
        os.dup2(target, descriptor)
    root.addHandler(handler)
    root.setLevel(min(level, logging.INFO))
    try:
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
