"""A folder on any pyarrow file system, named by a path or a URI; cheap to pickle and to send to workers.

A local path and `s3://bucket/prefix` differ only in speed: stages write through `open_output`, `write_bytes` and
`write_json`, or pass `filesystem` and `path` to pyarrow. On S3 a write is one request and atomic, and there are no
folders: nothing is created, moved or marked.

Tested in tests/pipeline/test_folder.py and tests/pipeline/test_s3.py.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

from pyarrow import ArrowInvalid, fs

from pipeline.errors import PipelineError
from pipeline.object_store import Objects
from pipeline.redaction import redacted
from pipeline.s3_place import client_of, completed, is_s3

DELETERS = 10
"""Number of processes that may delete the same folder at once."""


_DISK = fs.LocalFileSystem()

SCHEMES = ("file", "s3", "gs", "gcs", "hdfs", "viewfs", "abfs", "abfss")
"""Of the URIs that pyarrow opens."""


@dataclass(frozen=True)
class Folder:
    """A location below which files are read and written; parent folders are created as needed."""

    uri: str
    """Absolute local path, or a URI that `pyarrow.fs.FileSystem.from_uri` understands; it may hold a secret."""

    @classmethod
    def at(cls, place: str) -> Folder:
        """The folder at a path or URI given by the user, made absolute: workers may have another working directory."""
        return cls(place if "://" in place else str(Path(place).expanduser().resolve()))

    @cached_property
    def _resolved(self) -> tuple[fs.FileSystem, str, Any]:
        """File system, path, and client of the bucket on S3."""
        if "://" not in self.uri:
            return _DISK, os.path.realpath(self.uri), None
        place, _, query = self.uri.partition("?")
        scheme, _, location = place.partition("://")
        root, _, below = location.partition("/")
        if not is_s3(self.uri) or (":" in root and "@" not in root):  # no bucket has a colon: half a login
            root, below = location, ""
        filesystem, path, client = _opened(f"{scheme}://{root}{f'?{query}' if query else ''}", _surroundings())
        return filesystem, f"{path}/{unquote(below)}".rstrip("/") if below else path, client

    def __getstate__(self) -> dict[str, str]:
        return {"uri": self.uri}  # each process opens it with its own credentials

    @property
    def shown(self) -> str:
        """The location as it may be printed and recorded: `uri` without secrets."""
        return redacted(self.uri)

    @property
    def name(self) -> str:
        """Last part of the location, without the credentials and parameters of a URI."""
        location = self.shown.partition("?")[0] if "://" in self.uri else self.uri
        return location.rstrip("/").rpartition("/")[2]

    @property
    def filesystem(self) -> fs.FileSystem:
        return self._resolved[0]

    @property
    def path(self) -> str:
        """Path of the folder inside `filesystem`."""
        return self._resolved[1]

    @property
    def is_local(self) -> bool:
        return isinstance(self.filesystem, fs.LocalFileSystem)

    @property
    def objects(self) -> Objects | None:
        """The folder as objects on S3, which can be written on a condition; None on other file systems."""
        client = self._resolved[2]
        return Objects(client, self.path.partition("/")[2]) if client else None

    def place(self, name: str = "") -> str:
        """Location of the folder or a file in it, as it may be printed: a path, or a URI without secrets."""
        if "://" not in self.uri:
            return self._at(name)
        return (self / name if name else self).shown

    def __truediv__(self, name: str) -> Folder:
        place, mark, parameters = self.uri.partition("?" if "://" in self.uri else "\0")
        below = Folder(f"{place.rstrip('/')}/{name}{mark}{parameters}")
        if "_resolved" in vars(self) and "://" not in self.uri and ".." not in name:
            vars(below)["_resolved"] = (_DISK, f"{self.path}/{name}", None)  # a look at each part of a path saved
        return below

    def exists(self, name: str = "") -> bool:
        if objects := self.objects:
            return (bool(name) and objects.exists(name)) or bool(objects.sizes(name))
        info = self.filesystem.get_file_info(self._at(name))
        return bool(info.type != fs.FileType.NotFound)

    def is_file(self, name: str) -> bool:
        """Whether there is a file of this name, not a folder."""
        if objects := self.objects:
            return objects.exists(name)
        return bool(self.filesystem.get_file_info(self._at(name)).type == fs.FileType.File)

    def create(self) -> None:
        """Create the folder, where the file system has folders."""
        if not self.objects:
            self.filesystem.create_dir(self.path, recursive=True)

    def open_whole(self, name: str) -> Any:
        """Open a file that is read in many small pieces: on S3 each would be a request, so it is read at once."""
        return BytesIO(self.read_bytes(name)) if self.objects else self.open_input(name)

    def open_input(self, name: str) -> Any:
        """Open a file for reading, as a seekable binary stream."""
        return self.filesystem.open_input_file(self._at(name))

    def open_output(self, name: str) -> Any:
        self._make_parent(name)
        # By default pyarrow would compress whatever is written to a file named .gz
        return self.filesystem.open_output_stream(self._at(name), compression=None)

    def read_bytes(self, name: str) -> bytes:
        """The content of a file; in one request on S3."""
        if objects := self.objects:
            return objects.read(name).content
        with self.open_input(name) as stream:
            return bytes(stream.read())

    def write_bytes(self, name: str, content: bytes) -> None:
        if objects := self.objects:
            objects.write(name, content)
            return
        with self.open_output(name) as stream:
            stream.write(content)

    def read_json(self, name: str) -> Any:
        return json.loads(self.read_bytes(name))

    def write_json(self, name: str, value: Any) -> None:
        self.write_bytes(name, (json.dumps(value, indent=1, sort_keys=True) + "\n").encode())

    def replace(self, name: str, content: bytes) -> None:
        """Write a file atomically: readers see the old content or the new, never a part."""
        if objects := self.objects:
            objects.write(name, content)
            return
        aside = f"{name}.{uuid4().hex[:8]}.part"  # never shared by two writers
        try:
            self.write_bytes(aside, content)
            self.filesystem.move(self._at(aside), self._at(name))
        except OSError:
            with suppress(OSError):
                self.delete(aside)
            raise

    def move(self, name: str, target: Folder) -> None:
        """Move a file to another folder of the same file system."""
        if self.objects and target.objects:
            self.objects.move(name, target.objects)
        else:
            self.filesystem.move(self._at(name), target._at(name))

    def append(self, name: str, content: bytes) -> None:
        """Append all or nothing to a file that has a single writer; rewrite it where the file system cannot append."""
        if self.is_local:
            self._make_parent(name)
            _append_to(Path(self._at(name)), content)
        else:
            before = b""
            with suppress(FileNotFoundError):
                before = self.read_bytes(name)
            self.write_bytes(name, before + content)

    def files(self) -> list[str]:
        """Relative names of all files below the folder, sorted."""
        return sorted(self.sizes())

    def sizes(self) -> dict[str, int]:
        """{relative name: bytes} of all files below the folder."""
        if objects := self.objects:
            return objects.sizes()
        selector = fs.FileSelector(self.path, recursive=True, allow_not_found=True)
        infos = self.filesystem.get_file_info(selector)
        return {info.path[len(self.path) + 1 :]: info.size for info in infos if info.type == fs.FileType.File}

    def entries(self) -> list[fs.FileInfo]:
        """Files and folders directly in the folder; empty when it does not exist."""
        found: list[fs.FileInfo] = self.filesystem.get_file_info(fs.FileSelector(self.path, allow_not_found=True))
        return found

    def delete(self, name: str = "") -> None:
        """Delete a file, or a folder with everything in it; do nothing when it is absent."""
        if objects := self.objects:
            if objects.delete_all(name):
                with suppress(FileNotFoundError):
                    self.filesystem.delete_dir(self._at(name))
            return
        for _ in range(DELETERS):
            with suppress(FileNotFoundError):  # another process deletes the same folder
                self._delete(name)
                return

    def delete_file(self, name: str) -> None:
        """Delete a file; do nothing when it is absent."""
        if objects := self.objects:
            objects.delete(name)
            return
        with suppress(FileNotFoundError):
            self.filesystem.delete_file(self._at(name))

    def _delete(self, name: str) -> None:
        kind = self.filesystem.get_file_info(self._at(name)).type
        if kind == fs.FileType.Directory:
            self.filesystem.delete_dir(self._at(name))
        elif kind == fs.FileType.File:
            self.filesystem.delete_file(self._at(name))

    def _at(self, name: str) -> str:
        return f"{self.path}/{name}" if name else self.path

    def _make_parent(self, name: str) -> None:
        if not self.objects:
            self.filesystem.create_dir(self._at(name).rpartition("/")[0], recursive=True)


@lru_cache(maxsize=16)
def _opened(uri: str, surroundings: tuple[tuple[str, str], ...]) -> tuple[fs.FileSystem, str, Any]:
    """File system and path of a URI, and on S3 the client of its bucket; connections are shared by all folders."""
    del surroundings
    whole = completed(uri) if is_s3(uri) else uri
    try:
        filesystem, path = fs.FileSystem.from_uri(whole)
    except ArrowInvalid as error:
        if (scheme := uri.partition("://")[0]) not in SCHEMES:
            raise PipelineError(
                f"{uri} cannot be opened: {scheme}:// is not supported. Name a local path or a URI of "
                f"{', '.join(SCHEMES)}; or copy the files to this machine first"
            ) from None
        raise PipelineError(
            f"{uri} cannot be opened: {error}\nWrite it as s3://bucket/folder, with / and @ in keys and "
            "passwords as %2F and %40, or better: give those by the environment, as AWS_ACCESS_KEY_ID"
        ) from None
    client = client_of(whole, path.partition("/")[0], filesystem.region) if is_s3(uri) else None
    return filesystem, path, client


def _surroundings() -> tuple[tuple[str, str], ...]:
    """Variables of the environment by which pyarrow finds endpoint and credentials."""
    return tuple(sorted(item for item in os.environ.items() if item[0].startswith("AWS_")))


def _append_to(path: Path, content: bytes) -> None:
    with path.open("ab", buffering=0) as stream:
        before = stream.tell()
        try:
            written = stream.write(content)
            if written < len(content):  # the disk is full: the next write says so
                stream.write(content[written:])
        except OSError:
            with suppress(OSError):
                os.truncate(path, before)  # no later line joins half a line
            raise
