"""Logs grow while they are read; on an object store by parts, not by rewriting the whole."""

from __future__ import annotations

import pytest

from pipeline.folder import Folder
from pipeline.store import line_log
from pipeline.store.line_log import FLUSH_SECONDS, LineLog, read_lines
from tests.s3_server import S3Server


@pytest.fixture
def folder(s3_place: str) -> Folder:
    return Folder.at(s3_place)


def test_lines_on_s3_wait_until_a_write_is_due(s3: S3Server, folder: Folder) -> None:
    now = [0.0]
    log = LineLog(folder, "log", clock=lambda: now[0])
    with s3.counting() as counts:
        for number in range(100):
            log.append(b"%d\n" % number)
    assert counts == {"PUT": 1}  # the first line
    assert read_lines(folder, "log") == [b"0"]
    now[0] += FLUSH_SECONDS
    with s3.counting() as counts:
        log.flush_if_due()
        log.flush_if_due()
    assert counts == {"PUT": 1}
    assert read_lines(folder, "log") == [b"%d" % number for number in range(100)]
    assert len(folder.files()) == 1


def test_only_the_newest_part_of_a_long_log_is_written_again(
    s3: S3Server, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_log, "PART_BYTES", 100)
    log = LineLog(folder, "log", clock=lambda: 0.0)
    for number in range(100):
        log.append(b"%09d\n" % number)
    log.flush()
    assert sorted(folder.sizes().values()) == [100] * 10
    with s3.counting() as counts:
        assert read_lines(folder, "log") == [b"%09d" % number for number in range(100)]
    assert counts == {"LIST": 1, "GET": 10}


def test_a_later_writer_and_an_earlier_form_are_read_together(folder: Folder) -> None:
    folder.write_bytes("log", b"0\n")
    for number in (1, 2):
        log = LineLog(folder, "log")
        log.append(b"%d\n" % number)
        log.flush()
    folder.write_bytes("logs", b"another\n")
    assert read_lines(folder, "log") == [b"0", b"1", b"2"]


def test_on_a_disk_a_line_is_there_at_once(tmp_path) -> None:
    folder = Folder(str(tmp_path))
    assert read_lines(folder, "log") == []
    log = LineLog(folder, "log")
    log.append(b"1\n")
    log.append(b"2\n")
    assert (tmp_path / "log").read_bytes() == b"1\n2\n"
    assert read_lines(folder, "log") == [b"1", b"2"]
