"""Checks the temporary folder of a new Ray session: it must be writable, and its path short enough for sockets.

Ray puts the sockets of a session below `RAY_TMPDIR`, on Linux otherwise below `TMPDIR`, and PyTorch those of its loader
processes below `TMPDIR`; the path of a Unix socket has a fixed length in the kernel.

Tested in tests/experiments/cli/test_surroundings.py.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import PipelineError

DARWIN = sys.platform == "darwin"
SOCKET_PATH_BYTES = 103 if DARWIN else 107
"""`sun_path` of <sys/un.h>, without the final zero byte."""

RAY_SOCKET = "/ray/session_2026-01-31_23-59-59_999999_{pid}/sockets/dash_TaskEventsHead"
"""The longest of a session; the process id is the driver's."""

LOADER_SOCKET = "/pymp-xxxxxxxx/listener-xxxxxxxx"


@dataclass(frozen=True, kw_only=True)
class _Place:
    """A folder that will hold sockets."""

    variable: str
    """Environment variable that names it."""

    path: str
    socket: str
    """The longest path below the folder."""

    remedy: str
    """Environment variable to set instead."""

    @property
    def room(self) -> int:
        """Bytes that the path of the folder may have."""
        return SOCKET_PATH_BYTES - len(self.socket)

    def refuse(self, reason: str) -> PipelineError:
        return PipelineError(
            f"the temporary folder {self.variable}={self.path} {reason}.\n"
            f"Set {self.remedy} to a writable folder whose path has at most {self.room} bytes, "
            f"such as {self.remedy}=/tmp."
        )


def check_temporary_folder() -> None:
    """Raise PipelineError when a Ray session could not keep its files and sockets in the temporary folder."""
    for place in _places():
        if not place.path.startswith("/"):
            raise place.refuse("is not an absolute path")
        if (size := len(os.fsencode(place.path))) > place.room:
            raise place.refuse(
                f"has a path of {size} bytes, and the sockets below it add {len(place.socket)}: "
                f"more than the {SOCKET_PATH_BYTES} that the path of a socket may have"
            )
        _check_writable(place)


def _places() -> Iterator[_Place]:
    ray = "RAY_TMPDIR" if DARWIN or "RAY_TMPDIR" in os.environ else "TMPDIR"
    socket = RAY_SOCKET.format(pid=os.getpid())
    yield _Place(variable=ray, path=os.environ.get(ray, "/tmp"), socket=socket, remedy="RAY_TMPDIR")
    if loader := os.environ.get("TMPDIR"):
        yield _Place(variable="TMPDIR", path=loader, socket=LOADER_SOCKET, remedy="TMPDIR")


def _check_writable(place: _Place) -> None:
    folder = Path(place.path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shared = folder / "ray"  # may belong to another user; if absent, Ray creates it, writable for all
        tempfile.TemporaryFile(dir=shared if shared.exists() else folder).close()
    except OSError as error:
        raise place.refuse(f"cannot be written ({error.strerror})") from error
