"""Many small files as one zip archive in a folder, and its contents read as a folder.

On an object store every file costs several requests: to write it, to verify it, and for each reader. Nothing is
compressed, since images hardly shrink; equal files give an equal archive, and `unzip` makes ordinary files of it.

Tested in tests/pipeline/test_zipped.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from io import BytesIO
from typing import Any
from zipfile import ZipFile, ZipInfo

from pyarrow import fs

from pipeline.folder import Folder

ARCHIVE = "files.zip"


@dataclass(frozen=True)
class FilesInMemory:
    """Files that become one archive, written as those of a folder are."""

    files: dict[str, bytes] = field(default_factory=dict)

    def write_bytes(self, name: str, content: bytes) -> None:
        self.files[name] = content

    def write_archive(self, folder: Folder) -> None:
        """Write all files as the archive of a folder, in the order in which they came."""
        sink = BytesIO()
        with ZipFile(sink, "w") as archive:
            for name, content in self.files.items():
                archive.writestr(ZipInfo(name), content)  # a ZipInfo of its own has a fixed date
        folder.write_bytes(ARCHIVE, sink.getvalue())


@dataclass(frozen=True)
class ZippedFolder(Folder):
    """The contents of an archive, or a folder in it. It is only read, and the archive must never change."""

    holder: Folder
    """The folder that holds the archive."""

    inner: str = ""
    """Path inside the archive."""

    @classmethod
    def of(cls, holder: Folder) -> ZippedFolder:
        return cls((holder / ARCHIVE).uri, holder)

    def __getstate__(self) -> dict[str, Any]:
        return {"uri": self.uri, "holder": self.holder, "inner": self.inner}

    def __truediv__(self, name: str) -> ZippedFolder:
        return ZippedFolder(super().__truediv__(name).uri, self.holder, f"{self.inner}/{name}".strip("/"))

    def exists(self, name: str = "") -> bool:
        return self.is_file(name) or any(path.startswith(self._below(name)) for path in self._files)

    def is_file(self, name: str) -> bool:
        return self._below(name).rstrip("/") in self._files

    def open_whole(self, name: str) -> Any:
        return self.open_input(name)

    def open_input(self, name: str) -> Any:
        return BytesIO(self.read_bytes(name))

    def read_bytes(self, name: str) -> bytes:
        try:
            return self._files[self._below(name).rstrip("/")]
        except KeyError:
            raise FileNotFoundError(self.place(name)) from None

    def sizes(self) -> dict[str, int]:
        start = self._below()
        files = self._files.items()
        return {path.removeprefix(start): len(content) for path, content in files if path.startswith(start)}

    def entries(self) -> list[fs.FileInfo]:
        sizes = self.sizes()
        folders = {path.partition("/")[0] for path in sizes if "/" in path}
        return [
            *(fs.FileInfo(f"{self.uri}/{name}", fs.FileType.Directory) for name in folders),
            *(
                fs.FileInfo(f"{self.uri}/{path}", fs.FileType.File, size=size)
                for path, size in sizes.items()
                if "/" not in path
            ),
        ]

    @property
    def _files(self) -> dict[str, bytes]:
        return _contents(self.holder)

    def _below(self, name: str = "") -> str:
        """The beginning of the paths below a folder in it; empty for the whole archive."""
        return "".join(f"{part}/" for part in (self.inner, name) if part)


@lru_cache(maxsize=2)
def _contents(holder: Folder) -> dict[str, bytes]:
    """All files of an archive by path; the two archives used last are kept in memory."""
    with ZipFile(BytesIO(holder.read_bytes(ARCHIVE))) as archive:
        return {path: archive.read(path) for path in archive.namelist()}
