"""Folders store bytes unchanged."""

from __future__ import annotations

import gzip
from pathlib import Path

from pipeline.folder import Folder


def test_a_file_is_written_unchanged_whatever_its_name(tmp_path: Path) -> None:
    content = gzip.compress(b"packed already")
    Folder(str(tmp_path)).write_bytes("a/b.tar.gz", content)
    assert (tmp_path / "a/b.tar.gz").read_bytes() == content
    assert Folder(str(tmp_path)).read_bytes("a/b.tar.gz") == content
