"""Archives that are complete, damaged, or have members outside their folder."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from pipeline.errors import PipelineError
from stages.datasets.fetch.archives import unpack

FILES = {
    "VOCdevkit/VOC2007/Annotations/a.xml": b"<annotation/>" * 50,
    "VOCdevkit/VOC2007/JPEGImages/a.jpg": b"\xff\xd8" * 900,
}
Packed = Callable[[Mapping[str, bytes]], Path]


def tarred(path: Path, files: Mapping[str, bytes]) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def zipped(path: Path, files: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return path


@pytest.fixture(params=[tarred, zipped])
def packed(request: pytest.FixtureRequest, tmp_path: Path) -> Packed:
    return lambda files: request.param(tmp_path / "archive", files)


def ignore(done: int, total: int) -> None:
    pass


def test_all_files_are_written_and_counted(packed: Packed, tmp_path: Path) -> None:
    progress: list[tuple[int, int]] = []
    assert unpack(packed(FILES), tmp_path / "to", lambda done, total: progress.append((done, total))) == 2
    assert {name: (tmp_path / "to" / name).read_bytes() for name in FILES} == FILES
    assert progress == [(1, 2), (2, 2)]


def test_unpacking_again_writes_only_what_is_missing_or_short(packed: Packed, tmp_path: Path) -> None:
    archive, (whole, short) = packed(FILES), [tmp_path / "to" / name for name in FILES]
    unpack(archive, tmp_path / "to", ignore)
    whole.touch()
    stamp = whole.stat().st_mtime_ns
    short.write_bytes(b"\xff")
    unpack(archive, tmp_path / "to", ignore)
    assert whole.stat().st_mtime_ns == stamp
    assert short.read_bytes() == FILES["VOCdevkit/VOC2007/JPEGImages/a.jpg"]


@pytest.mark.parametrize("name", ["../outside.txt", "a/../../outside.txt", "/outside.txt"])
def test_a_member_outside_the_folder_refuses_the_archive_before_anything_is_written(
    packed: Packed, tmp_path: Path, name: str
) -> None:
    with pytest.raises(PipelineError, match="lies outside"):
        unpack(packed({**FILES, name: b"x"}), tmp_path / "to", ignore)
    assert [path.name for path in tmp_path.iterdir()] == ["archive"]


def test_links_in_a_tar_are_skipped(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "archive", "w") as tar:
        link = tarfile.TarInfo("passwords")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    assert unpack(tmp_path / "archive", tmp_path / "to", ignore) == 0


def test_a_truncated_archive_is_refused(packed: Packed, tmp_path: Path) -> None:
    archive = packed(FILES)
    archive.write_bytes(archive.read_bytes()[:1500])
    with pytest.raises(PipelineError, match="damaged"):
        unpack(archive, tmp_path / "to", ignore)


def test_a_changed_byte_in_a_zip_is_detected_by_its_own_checksum(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "archive", FILES)
    content = archive.read_bytes()
    archive.write_bytes(content.replace(b"<annotation/>", b"<annotatiom/>", 1))
    with pytest.raises(PipelineError, match="CRC"):
        unpack(archive, tmp_path / "to", ignore)
    assert not (tmp_path / "to" / "VOCdevkit/VOC2007/Annotations/a.xml").exists()
