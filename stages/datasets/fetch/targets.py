"""Where the members of an archive are unpacked to: each below the folder, under a name that it shares with no other.

Tested in tests/stages/datasets/fetch/test_archives.py.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from pipeline.errors import PipelineError

PART = ".part"
"""Suffix of a file that is being written."""

LONGEST_PART = 255 - len(PART)
"""Bytes of each part of a name, of the 255 that file systems take."""

DEEPEST = 100
"""Parts of a name; data sets have up to 10, and creating folders recurses."""

LONGEST_PATH = 4095 - len(PART)
"""Bytes of a whole path, of the 4095 that Linux takes."""


def targets_of(names: Iterable[str], folder: Path, archive: Path) -> list[Path]:
    """Return the path of each member. Raises PipelineError that states the first member that cannot be unpacked."""
    root, targets = folder.resolve(), _Targets()
    for name in names:
        if problem := _unusable(name) or targets.add(folder / name, root):
            raise PipelineError(f"{archive} holds {name[:200]!r}, which {problem}; nothing was unpacked")
    return targets.paths


def _unusable(name: str) -> str | None:
    """Return why no file can have this name."""
    try:
        encoded = os.fsencode(name)
    except UnicodeEncodeError:
        return "cannot be written in the encoding of file names"
    if b"\0" in encoded:
        return "holds a zero byte"
    parts = encoded.split(b"/")
    if len(parts) > DEEPEST:
        return f"lies in {len(parts) - 1:,} folders within each other, but archives are unpacked up to {DEEPEST - 1}"
    longest = max(map(len, parts))
    if longest > LONGEST_PART:
        return f"has a part of {longest:,} bytes, but a file name takes {LONGEST_PART}"
    return None


class _Targets:
    """Paths of the members so far."""

    def __init__(self) -> None:
        self.paths: list[Path] = []
        self._files: set[Path] = set()
        self._folders: set[Path] = set()

    def add(self, target: Path, root: Path) -> str | None:
        """Add a path, or return why it cannot be written."""
        if (length := len(os.fsencode(target))) > LONGEST_PATH:
            return f"becomes a path of {length:,} bytes, but a path takes {LONGEST_PATH:,}"
        place = target.resolve()
        if not place.is_relative_to(root):
            return f"lies outside {root}"
        if place == root:
            return f"is {root} itself, not a file in it"
        parents = place.parents[: len(place.parts) - len(root.parts)]
        if place in self._files or place in self._folders or not self._files.isdisjoint(parents):
            return "takes the name of another member"
        if self._files & {Path(f"{place}{PART}"), Path(str(place).removesuffix(PART))}:
            return f"differs from another member by {PART} only, the suffix of files that are being written"
        self._files.add(place)
        self._folders.update(parents)
        self.paths.append(target)
        return None
