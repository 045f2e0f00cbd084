"""Downloading a data set as archives from a local server."""

from __future__ import annotations

import functools
import hashlib
import json
import tarfile
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipeline.errors import PipelineError
from stages.datasets.fetch.downloads import Archive, Downloaded, archives_of, download


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    """A tar with one file, served without ranges."""
    (tmp_path / "server").mkdir()
    (tmp_path / "a.xml").write_text("<annotation/>")
    with tarfile.open(tmp_path / "server/VOC.tar", "w") as tar:
        tar.add(tmp_path / "a.xml", "VOCdevkit/VOC2007/Annotations/a.xml")
    md5 = hashlib.md5((tmp_path / "server/VOC.tar").read_bytes()).hexdigest()
    handler = functools.partial(Quiet, directory=str(tmp_path / "server"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield Archive(url=f"http://127.0.0.1:{running.server_port}/VOC.tar", md5=md5)
        running.shutdown()
        thread.join()


def ignore(step: str, done: int, total: int | None) -> None:
    pass


def test_an_archive_is_downloaded_unpacked_and_recorded(archive: Archive, tmp_path: Path) -> None:
    steps: list[str] = []
    done = download(archive, tmp_path / "data", lambda step, done, total: steps.append(step))
    sha256 = hashlib.sha256((tmp_path / "server/VOC.tar").read_bytes()).hexdigest()
    assert done == Downloaded(size=10240, sha256=sha256, is_new=True)
    assert (tmp_path / "data/VOCdevkit/VOC2007/Annotations/a.xml").read_text() == "<annotation/>"
    assert list(dict.fromkeys(steps)) == ["download VOC.tar", "unpack VOC.tar"]
    record = json.loads((tmp_path / "data/archives/VOC.tar.json").read_text())
    assert (record["md5"], record["files"]) == (archive.md5, 1)
    assert not (tmp_path / "data/archives/VOC.tar").exists()


def test_a_second_download_contacts_no_server(archive: Archive, tmp_path: Path) -> None:
    download(archive, tmp_path / "data", ignore)
    elsewhere = Archive(url="http://127.0.0.1:9/VOC.tar", md5=archive.md5)
    assert not download(elsewhere, tmp_path / "data", ignore).is_new


def test_a_later_download_that_differs_from_the_first_is_refused_with_both_checksums(
    archive: Archive, tmp_path: Path
) -> None:
    unpublished, data = Archive(url=archive.url), tmp_path / "data"
    first = download(unpublished, data, ignore)
    pin = data / "archives/VOC.tar.sha256"
    assert pin.read_text() == f"{first.sha256}  VOC.tar\n"
    (data / "archives/VOC.tar.json").unlink()
    with tarfile.open(tmp_path / "server/VOC.tar", "a") as tar:
        tar.add(tmp_path / "a.xml", "VOCdevkit/VOC2007/Annotations/b.xml")
    other = hashlib.sha256((tmp_path / "server/VOC.tar").read_bytes()).hexdigest()
    with pytest.raises(PipelineError, match=f"(?s){other}.*{first.sha256}"):
        download(unpublished, data, ignore)
    assert not (data / "VOCdevkit/VOC2007/Annotations/b.xml").exists()
    pin.unlink()
    assert download(unpublished, data, ignore).sha256 == other


def test_the_same_archive_is_accepted_again(archive: Archive, tmp_path: Path) -> None:
    first = download(archive, tmp_path / "data", ignore)
    (tmp_path / "data/archives/VOC.tar.json").unlink()
    assert download(archive, tmp_path / "data", ignore) == first


def test_coco_is_downloaded_encrypted() -> None:
    assert {archive.url.partition("://")[0] for archive in archives_of("coco2017")} == {"https"}


def test_an_archive_that_was_downloaded_but_not_unpacked_is_unpacked(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "data/archives").mkdir(parents=True)
    (tmp_path / "server/VOC.tar").rename(tmp_path / "data/archives/VOC.tar")
    assert download(archive, tmp_path / "data", ignore)
    assert (tmp_path / "data/VOCdevkit/VOC2007/Annotations/a.xml").exists()


def test_a_tampered_archive_is_not_unpacked(archive: Archive, tmp_path: Path) -> None:
    wrong = Archive(url=archive.url, md5="0" * 32)
    with pytest.raises(PipelineError, match="the published one is"):
        download(wrong, tmp_path / "data", ignore)
    assert not (tmp_path / "data/VOCdevkit").exists()


def test_voc_has_the_checksums_of_torchvision_and_coco_none() -> None:
    assert [archive.name for archive in archives_of("voc2007")] == [
        "VOCtrainval_06-Nov-2007.tar",
        "VOCtest_06-Nov-2007.tar",
    ]
    assert archives_of("voc2012")[0].md5 == "6cd6e144f989b92b3379bac3b3de84fd"  # as in torchvision 0.29
    assert {archive.md5 for archive in archives_of("coco2017")} == {None}


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(PipelineError, match="voc2007, voc2012, coco2017"):
        archives_of("voc2003")
