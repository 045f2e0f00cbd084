"""Folders store bytes unchanged, and are named by paths and URIs."""

from __future__ import annotations

import gzip
import pickle
from pathlib import Path

import pytest

from pipeline.errors import PipelineError
from pipeline.folder import Folder


def test_a_file_is_written_unchanged_whatever_its_name(tmp_path: Path) -> None:
    content = gzip.compress(b"packed already")
    Folder(str(tmp_path)).write_bytes("a/b.tar.gz", content)
    assert (tmp_path / "a/b.tar.gz").read_bytes() == content
    assert Folder(str(tmp_path)).read_bytes("a/b.tar.gz") == content


def test_a_folder_below_a_uri_keeps_its_parameters(tmp_path: Path) -> None:
    folder = Folder.at(f"file://{tmp_path}?region=eu") / "a" / "b"
    assert folder.uri == f"file://{tmp_path}/a/b?region=eu"
    assert folder.path == f"{tmp_path}/a/b"


def test_a_folder_below_another_is_the_one_that_its_path_names(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    folder = Folder(f"{tmp_path}/link")
    assert folder.path == str(tmp_path), "resolved"
    for name in ("a", "a/b", "../c"):
        assert (folder / name).path == Folder(f"{tmp_path}/link/{name}").path
        assert (folder / name) == pickle.loads(pickle.dumps(folder / name))


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("/data/voc@2007/", "voc@2007"),
        ("s3://key:secret@bucket", "bucket"),
        ("s3://bucket/voc/?region=eu-west-1", "voc"),
    ],
)
def test_the_name_of_a_folder_is_its_last_part_without_credentials_and_parameters(uri: str, name: str) -> None:
    assert Folder(uri).name == name


def test_a_folder_keeps_its_secret_for_itself() -> None:
    assert Folder("s3://key:secret@bucket/voc").shown == "s3://bucket/voc"


@pytest.mark.parametrize("uri", ["s3://key:sec/ret@bucket/voc", "s3://bucket/voc?access_key=secret"])
def test_a_uri_that_cannot_be_opened_is_refused(uri: str) -> None:
    with pytest.raises(PipelineError, match=r"://.* cannot be opened: .*\nWrite it as s3://bucket/folder"):
        Folder(uri).exists()
