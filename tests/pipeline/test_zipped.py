from __future__ import annotations

import pickle
from pathlib import Path
from zipfile import ZipFile

import pytest

from pipeline.folder import Folder
from pipeline.zipped import ARCHIVE, FilesInMemory, ZippedFolder
from tests.s3_server import S3Server

FILES = {"a/b/c.txt": b"abc", "a/d.bin": b"\0\1", "a.txt": b"", "é/f.jpg": b"\xff\xd8"}


def zipped(folder: Folder) -> ZippedFolder:
    memory = FilesInMemory()
    for name, content in FILES.items():
        memory.write_bytes(name, content)
    memory.write_archive(folder)
    return ZippedFolder.of(folder)


@pytest.mark.parametrize("inner", ["", "a", "a/b", "é", "absent"])
def test_an_archive_is_read_as_the_folder_of_its_files(inner: str, tmp_path: Path) -> None:
    plain = Folder(str(tmp_path / "plain"))
    for name, content in FILES.items():
        plain.write_bytes(name, content)
    archive = zipped(Folder(str(tmp_path / "zipped")))
    for ours, theirs in [(archive / inner, plain / inner)] if inner else [(archive, plain)]:
        assert ours.sizes() == theirs.sizes()
        listings = [[(each.base_name, each.type, each.size) for each in place.entries()] for place in (ours, theirs)]
        assert sorted(listings[0]) == sorted(listings[1])
        for name in ("", *FILES, "a", "a/b", "b", "b/c.txt", "c.txt", "d.bin", "f.jpg"):
            assert ours.exists(name) == theirs.exists(name), name
            assert ours.is_file(name) == theirs.is_file(name), name
        for name in theirs.sizes():
            assert ours.read_bytes(name) == ours.open_whole(name).read() == theirs.read_bytes(name)


def test_a_file_that_an_archive_lacks_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"files\.zip/a/absent"):
        (zipped(Folder(str(tmp_path))) / "a").read_bytes("absent")


def test_a_folder_in_an_archive_travels_to_other_processes(tmp_path: Path) -> None:
    sent = pickle.loads(pickle.dumps(zipped(Folder(str(tmp_path))) / "a"))
    assert sent.read_bytes("b/c.txt") == b"abc"


def test_equal_files_give_an_equal_archive_that_other_programs_unpack(tmp_path: Path) -> None:
    places = [Folder(str(tmp_path / name)) for name in ("one", "two")]
    for place in places:
        zipped(place)
    assert places[0].read_bytes(ARCHIVE) == places[1].read_bytes(ARCHIVE)
    with ZipFile(f"{places[0].path}/{ARCHIVE}") as archive:
        archive.extractall(tmp_path / "unpacked")
    assert (tmp_path / "unpacked/a/b/c.txt").read_bytes() == b"abc"


def test_an_archive_on_s3_is_one_request_to_write_and_one_to_read(s3: S3Server, s3_place: str) -> None:
    with s3.counting() as counts:
        archive = zipped(Folder(f"{s3_place}/archive"))
        assert {name: archive.read_bytes(name) for name in archive.sizes()} == FILES
    assert counts == {"PUT": 1, "GET": 1}
