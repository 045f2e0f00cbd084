"""Objects below a place on S3: one request for each operation, and writes on a condition.

pyarrow takes up to eight requests to write a small file, leaves markers of folders, and has no call that writes only
where nothing exists, or only over a known version. Streams of large files stay with pyarrow.

Tested in tests/pipeline/test_s3.py.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from pipeline.redaction import redacted

_PROCESS = os.getpid()


@dataclass(frozen=True, kw_only=True)
class Content:
    """An object as it was at one moment."""

    content: bytes
    version: str
    """Names this content in a conditional write."""

    written: float
    """Seconds since 1970, by the clock of the server."""


class TooLarge(Exception):
    """An object has more bytes than the reader wants; nothing of it was read."""

    def __init__(self, size: int) -> None:
        super().__init__(f"{size:,} bytes")
        self.size = size


@dataclass(frozen=True)
class Objects:
    """Objects whose names begin with a prefix."""

    client: Any
    prefix: str
    """Without the bucket; empty for all of it."""

    def read(self, name: str, most: int | None = None) -> Content:
        """Read an object. Raises FileNotFoundError, OSError, and TooLarge above `most` bytes."""
        import obstore

        with _as_os_errors():
            found = obstore.get(self.client, self._path(name))
            if most is not None and found.meta["size"] > most:
                raise TooLarge(found.meta["size"])
            written = found.meta["last_modified"].timestamp()
            return Content(content=bytes(found.bytes()), version=found.meta["e_tag"], written=written)

    def write(self, name: str, content: bytes) -> None:
        """Write an object as a whole: readers see the old content or the new."""
        self._put(name, content, "overwrite")

    def create(self, name: str, content: bytes) -> str:
        """Write an object that does not exist; return its version, or empty when there already is one."""
        return self._put(name, content, "create")

    def update(self, name: str, content: bytes, version: str) -> str:
        """Overwrite one version of an object; return the new version, or empty when it has changed or is gone."""
        return self._put(name, content, {"e_tag": version})

    def exists(self, name: str) -> bool:
        """Whether there is an object of this name, not only a prefix of others."""
        import obstore

        try:
            with _as_os_errors():
                obstore.head(self.client, self._path(name))
        except FileNotFoundError:
            return False
        return True

    def sizes(self, name: str = "") -> dict[str, int]:
        """{name: bytes} of all objects below a prefix; one request for each 1,000 of them."""
        sizes = self._listed(self._path(name))
        # Other programs leave empty objects that stand for folders
        folders = {"", *(str(parent) for each in sizes for parent in PurePosixPath(each).parents)}
        return {each: size for each, size in sizes.items() if size or each not in folders}

    def delete(self, name: str) -> None:
        """Delete an object; do nothing when it is absent."""
        self._delete([self._path(name)])

    def move(self, name: str, target: Objects) -> None:
        """Move an object below another prefix of the same bucket."""
        import obstore

        with _as_os_errors():
            obstore.copy(self.client, self._path(name), target._path(name))
        self.delete(name)

    def delete_all(self, name: str) -> bool:
        """Delete an object and all objects below it; return whether markers of folders may be left."""
        path = self._path(name)
        sizes = self._listed(path)
        below = [f"{path}/{each}" if path else each for each in sizes]
        if paths := [*below, *([path] if name else [])]:  # without a name it is a folder, not an object
            self._delete(paths)
        return 0 in sizes.values()  # this client cannot name a marker, which ends with a slash

    def _listed(self, path: str) -> dict[str, int]:
        import obstore

        with _as_os_errors():
            chunks = list(obstore.list(self.client, path or None, chunk_size=1000))
        start = len(path) + 1 if path else 0
        return {item["path"][start:]: item["size"] for chunk in chunks for item in chunk}

    def _put(self, name: str, content: bytes, mode: Any) -> str:
        import obstore
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        try:
            with _as_os_errors():
                return str(obstore.put(self.client, self._path(name), content, mode=mode)["e_tag"])
        except (AlreadyExistsError, PreconditionError):
            return ""

    def _delete(self, paths: list[str]) -> None:
        import obstore

        with _as_os_errors():
            obstore.delete(self.client, paths)

    def _path(self, name: str) -> str:
        if os.getpid() != _PROCESS:  # it would wait forever for threads that a fork does not copy
            raise RuntimeError("a forked process cannot use the object store; start it with `spawn`")
        return f"{self.prefix}/{name}".strip("/")


@contextmanager
def _as_os_errors() -> Iterator[None]:
    """Raise what the client raises as OSError, except that a condition did not hold."""
    from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError

    try:
        yield
    except (AlreadyExistsError, PreconditionError):
        raise
    except FileNotFoundError as error:
        raise FileNotFoundError(_short(error)) from None
    except BaseError as error:
        text = _short(error)  # refused credentials, say, are not named as an error of S3
        raise OSError(text if "S3 error" in text else f"S3 error: {text}") from None


def _short(error: Exception) -> str:
    return redacted(str(error).strip().partition("\n")[0])
