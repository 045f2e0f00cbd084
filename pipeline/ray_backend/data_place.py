"""Whether a process sees a data set as the driver does: the place itself, and the first names in it.

The names matter, since a file system that is not mounted leaves an empty folder at its mount point.

Tested in tests/pipeline/ray_backend/test_node_probe.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from pyarrow import fs

from pipeline.folder import Folder

NAMES = 20
SHOWN = 3


@dataclass(frozen=True)
class DataPlace:
    """A data set outside the store, as the driver sees it."""

    folder: Folder
    names: tuple[str, ...]
    """The first files and folders in it, sorted; empty for a file."""

    @classmethod
    def of(cls, uri: str) -> DataPlace:
        folder = Folder.at(uri)
        if folder.filesystem.get_file_info(folder.path).type == fs.FileType.File:
            return cls(folder, ())
        entries = folder.filesystem.get_file_info(fs.FileSelector(folder.path, allow_not_found=True))
        return cls(folder, tuple(sorted(entry.base_name for entry in entries)[:NAMES]))

    def fault(self) -> str:
        """What this process does not see of it; empty if it sees all."""
        try:
            if not self.folder.exists():
                return "it does not exist"
            found = self.folder.filesystem.get_file_info([f"{self.folder.path}/{name}" for name in self.names])
        except OSError as error:
            return str(error) or type(error).__name__
        missing = [entry.base_name for entry in found if entry.type == fs.FileType.NotFound]
        more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
        return f"it lacks {', '.join(missing[:SHOWN])}{more}" if missing else ""
