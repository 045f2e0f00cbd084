"""A folder on any pyarrow file system, named by a path or a URI; cheap to pickle and to send to workers.

A local path and `s3://bucket/prefix` differ only in speed: stages write through `open_output`, `write_bytes` and
`write_json`, or pass `filesystem` and `path` to pyarrow.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

from pyarrow import ArrowInvalid, fs

from pipeline.errors import PipelineError
from pipeline.redaction import redacted


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
    def _resolved(self) -> tuple[fs.FileSystem, str]:
        if "://" in self.uri:
            return self._opened()
        return fs.LocalFileSystem(), str(Path(self.uri).resolve())

    def _opened(self) -> tuple[fs.FileSystem, str]:
        try:
            filesystem, path = fs.FileSystem.from_uri(self.uri)
        except ArrowInvalid as error:
            raise PipelineError(
                f"{self.uri} cannot be opened: {error}\nWrite it as s3://bucket/folder, with / and @ in keys and "
                "passwords as %2F and %40, or better: give those by the environment, as AWS_ACCESS_KEY_ID"
            ) from None
        return filesystem, path

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

    def __truediv__(self, name: str) -> Folder:
        place, mark, parameters = self.uri.partition("?" if "://" in self.uri else "\0")
        return Folder(f"{place.rstrip('/')}/{name}{mark}{parameters}")

    def exists(self, name: str = "") -> bool:
        info = self.filesystem.get_file_info(self._at(name))
        return bool(info.type != fs.FileType.NotFound)

    def is_file(self, name: str) -> bool:
        """Whether there is a file of this name, not a folder."""
        return bool(self.filesystem.get_file_info(self._at(name)).type == fs.FileType.File)

    def open_input(self, name: str) -> Any:
        """Open a file for reading, as a seekable binary stream."""
        return self.filesystem.open_input_file(self._at(name))

    def open_output(self, name: str) -> Any:
        self._make_parent(name)
        # By default pyarrow would compress whatever is written to a file named .gz
        return self.filesystem.open_output_stream(self._at(name), compression=None)

    def read_bytes(self, name: str) -> bytes:
        with self.open_input(name) as stream:
            return bytes(stream.read())

    def write_bytes(self, name: str, content: bytes) -> None:
        with self.open_output(name) as stream:
            stream.write(content)

    def read_json(self, name: str) -> Any:
        return json.loads(self.read_bytes(name))

    def write_json(self, name: str, value: Any) -> None:
        self.write_bytes(name, (json.dumps(value, indent=1, sort_keys=True) + "\n").encode())

    def replace(self, name: str, content: bytes) -> None:
        """Write a file atomically: readers see the old content or the new, never a part."""
        aside = f"{name}.{uuid4().hex[:8]}.part"  # never shared by two writers
        self.write_bytes(aside, content)
        self.filesystem.move(self._at(aside), self._at(name))

    def append(self, name: str, content: bytes) -> None:
        """Append to a file that has a single writer. Where the file system cannot append, the file is rewritten."""
        if self.is_local:
            self._make_parent(name)
            with open(self._at(name), "ab") as stream:
                stream.write(content)
        else:
            before = self.read_bytes(name) if self.exists(name) else b""
            self.write_bytes(name, before + content)

    def files(self) -> list[str]:
        """Relative names of all files below the folder, sorted."""
        selector = fs.FileSelector(self.path, recursive=True, allow_not_found=True)
        infos = self.filesystem.get_file_info(selector)
        return sorted(info.path[len(self.path) + 1 :] for info in infos if info.type == fs.FileType.File)

    def delete(self, name: str = "") -> None:
        """Delete a file, or a folder with everything in it; do nothing when it is absent."""
        kind = self.filesystem.get_file_info(self._at(name)).type
        if kind == fs.FileType.Directory:
            self.filesystem.delete_dir(self._at(name))
        elif kind == fs.FileType.File:
            self.filesystem.delete_file(self._at(name))

    def _at(self, name: str) -> str:
        return f"{self.path}/{name}" if name else self.path

    def _make_parent(self, name: str) -> None:
        self.filesystem.create_dir(self._at(name).rpartition("/")[0], recursive=True)
