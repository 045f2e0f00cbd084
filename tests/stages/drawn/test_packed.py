"""Drawn images as one archive: shards are the same, and an object store sees few requests."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.driver.in_process import run_in_process
from pipeline.folder import Folder
from pipeline.zipped import ARCHIVE
from stages.datasets.coco.coco_folder import CocoFolder
from stages.datasets.source import Source
from stages.datasets.voc import VocFolder
from stages.drawn.draw import Draw
from stages.drawn.likeness import Likeness
from stages.shards.shard import Shard
from tests.s3_server import S3Server

READERS: dict[Likeness, type[Source]] = {"voc": VocFolder, "coco": CocoFolder}


def sharded(layout: Likeness, store: str, *, packed: bool, images: int = 4, shards: int = 2) -> Folder:
    drawn = Draw(train=images, test=1, sides=(48, 64), layout=layout, packed=packed)
    source = READERS[layout](name="drawn", split="train", within=drawn)
    return run_in_process(Shard(sources=(source,), images_per_shard=-(-images // shards), strict=True), store)


@pytest.mark.parametrize("layout", ["voc", "coco"])
def test_shards_of_packed_images_are_those_of_single_files(layout: Likeness, tmp_path: Path) -> None:
    single, packed = (sharded(layout, str(tmp_path / str(flag)), packed=flag) for flag in (False, True))
    assert single.files() == packed.files()
    assert all(single.read_bytes(name) == packed.read_bytes(name) for name in single.files())


def test_packed_images_are_one_archive_of_the_files_that_are_written_otherwise(tmp_path: Path) -> None:
    import zipfile

    single, packed = (run_in_process(Draw(train=2, test=1, packed=flag), str(tmp_path)) for flag in (False, True))
    assert packed.files() == [ARCHIVE]
    with zipfile.ZipFile(f"{packed.path}/{ARCHIVE}") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            name: single.read_bytes(name) for name in single.files()
        }


def test_requests_for_packed_images_do_not_grow_with_their_number(s3: S3Server, s3_place: str) -> None:
    numbers = []
    for images in (3, 12):
        with s3.counting() as counts:
            sharded("voc", f"{s3_place}/{images}", packed=True, images=images, shards=1)
        numbers.append(counts.total())
    assert max(numbers) <= 60, numbers
    assert max(numbers) - min(numbers) <= 4, numbers  # progress is written by the clock
