"""Archives whose bytes depend on nothing but their files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.errors import PipelineError
from stages.bundles.tar_file import pack, unpacked

LONG = "n" * 120 + ".json"


def filled(folder: Path) -> Path:
    (folder / "a/b").mkdir(parents=True)
    (folder / "a/b/c.txt").write_bytes(b"c" * 600)
    (folder / LONG).write_bytes(b"long")
    (folder / "empty").write_bytes(b"")
    return folder


def test_equal_files_give_equal_bytes_whatever_their_times_and_modes(tmp_path: Path) -> None:
    one, other = filled(tmp_path / "one"), filled(tmp_path / "other")
    os.utime(other / "empty", (0, 0))
    (other / LONG).chmod(0o600)
    assert pack(one, tmp_path / "one.tar") == pack(other, tmp_path / "other.tar")
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "other.tar").read_bytes()


def test_an_archive_is_unpacked_with_the_checksum_that_packing_returned(tmp_path: Path) -> None:
    digest = pack(filled(tmp_path / "files"), tmp_path / "x.tar")
    assert unpacked(tmp_path / "x.tar", tmp_path / "out") == digest
    assert (tmp_path / "out/a/b/c.txt").read_bytes() == b"c" * 600
    assert (tmp_path / "out" / LONG).read_bytes() == b"long"


def test_each_changed_byte_of_an_archive_is_refused_or_lies_in_a_member(tmp_path: Path) -> None:
    pack(filled(tmp_path / "files"), tmp_path / "x.tar")
    content = (tmp_path / "x.tar").read_bytes()
    inside = range(content.index(b"c" * 600), content.index(b"c" * 600) + 600)
    for place in (*range(0, len(content), 97), inside[0], len(content) - 1):
        changed = tmp_path / "changed.tar"
        changed.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        out = tmp_path / f"out{place}"
        if place in inside:
            unpacked(changed, out)
        else:
            try:
                unpacked(changed, out)
            except PipelineError:
                continue
            assert (out / LONG).read_bytes() != b"long", place


def test_bytes_after_the_archive_are_refused(tmp_path: Path) -> None:
    pack(filled(tmp_path / "files"), tmp_path / "x.tar")
    size = (tmp_path / "x.tar").stat().st_size
    (tmp_path / "x.tar").open("ab").write(b"\0" * 512)
    with pytest.raises(PipelineError, match=f"its byte {size:,} lies outside"):
        unpacked(tmp_path / "x.tar", tmp_path / "out")
