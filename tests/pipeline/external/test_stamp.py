"""A stamp differs whenever the files may differ, and knows when a clock is too coarse to show it."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.external.snapshot import snapshot
from pipeline.external.stamp import FilesRead, Stamp, stamp_of
from pipeline.folder import Folder

READ = FilesRead(contents=["list.txt", "texts", "later"], sizes=["pictures"])


@pytest.fixture
def place(tmp_path: Path) -> Path:
    place = tmp_path / "data"
    for name in ("list.txt", "texts/a", "texts/b", "pictures/a"):
        file = place / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("1234")
    return place


def stamp(place: Path | str) -> Stamp:
    return stamp_of(Folder.at(str(place)), READ)


def _replace(place: Path) -> None:
    """Replace a file by another one with the same size and times."""
    shutil.copy2(place / "texts/a", place / "aside")
    (place / "aside").replace(place / "texts/a")


def _write_and_reset_the_time(place: Path) -> None:
    before = (place / "texts/a").stat()
    (place / "texts/a").write_text("4321")
    os.utime(place / "texts/a", ns=(before.st_atime_ns, before.st_mtime_ns))


CHANGES: dict[str, Callable[[Path], object]] = {
    "a file has other content of its size": lambda place: (place / "texts/a").write_text("4321"),
    "a file of the split itself": lambda place: (place / "list.txt").write_text("4321"),
    "a file is added": lambda place: (place / "texts/c").touch(),
    "a file is removed": lambda place: (place / "texts/a").unlink(),
    "a file has another name": lambda place: (place / "texts/a").rename(place / "texts/c"),
    "a file is replaced by one of its size and time": _replace,
    "a file is written and its time set back": _write_and_reset_the_time,
    "a folder appears that was looked for": lambda place: shutil.copytree(place / "texts", place / "later"),
    "a file by size has another": lambda place: (place / "pictures/a").write_text("12345"),
    "a file by size is added": lambda place: (place / "pictures/b").touch(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_stamp_changes_when(place: Path, change: Callable[[Path], object]) -> None:
    before = stamp(place)
    assert stamp(place) == before
    time.sleep(0.02)  # beyond the tick of the file system's clock
    change(place)
    assert stamp(place).digest != before.digest


def test_the_content_of_a_file_read_by_size_does_not_count(place: Path) -> None:
    before = stamp(place)
    (place / "pictures/a").write_text("4321")
    assert stamp(place).digest == before.digest


def test_files_changed_less_than_two_seconds_ago_settle_later(place: Path) -> None:
    assert not stamp(place).settled
    time.sleep(2.1)
    assert stamp(place).settled
    (place / "pictures/a").touch()  # does not count by its content
    assert stamp(place).settled
    (place / "texts/a").touch()
    assert not stamp(place).settled


def test_a_pyarrow_file_system_reports_size_and_time(place: Path) -> None:
    uri = f"mock://{place}"  # has its own times and is empty
    assert stamp(uri).digest == stamp(f"mock://{place}/elsewhere").digest
    uri = place.as_uri()
    before = stamp(uri)
    (place / "texts/a").write_text("12345")
    assert stamp(uri).digest != before.digest


def test_a_change_is_not_seen_within_a_snapshot_and_is_seen_after_it(place: Path) -> None:
    before = stamp(place)
    with snapshot():
        first = stamp(place)
        (place / "texts/c").touch()
        assert stamp(place).digest == first.digest == before.digest
    assert stamp(place).digest != before.digest
