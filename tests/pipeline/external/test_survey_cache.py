"""An answer is cached while files and code are unchanged, and a failing cache costs only time."""

from __future__ import annotations

import json
import multiprocessing
import os
from pathlib import Path
from typing import Any

import pytest

from pipeline.external import survey_cache as module
from pipeline.external.stamp import Stamp
from pipeline.external.survey_cache import cache_folder, cached

NOW = Stamp(digest="one", settled=True)


class Asked:
    """Answers with the number of times it was asked."""

    times = 0

    def __call__(self) -> dict[str, Any]:
        self.times += 1
        return {"times": self.times, "names": ["ä", "\udcff"]}


class Reader:
    """The class whose code computes the answers."""


def ask(asked: Asked, stamp: Stamp = NOW, question: str = "what") -> int:
    answer = cached(question, Reader, stamp, asked)
    assert answer["names"] == ["ä", "\udcff"]
    return int(answer["times"])


def surveys() -> list[Path]:
    folder = cache_folder()
    assert folder
    return sorted((folder / "surveys").iterdir())


def test_an_answer_is_cached_until_the_stamp_changes() -> None:
    asked = Asked()
    assert [ask(asked), ask(asked), ask(asked, Stamp(digest="two", settled=True)), ask(asked)] == [1, 1, 2, 3]
    assert ask(asked, question="other") == 4
    assert len(surveys()) == 2  # one for each question


def test_an_answer_about_files_that_have_not_settled_is_not_cached() -> None:
    asked = Asked()
    fresh = Stamp(digest="one", settled=False)
    assert [ask(asked, fresh), ask(asked, fresh)] == [1, 2]


def test_an_answer_of_other_code_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked()
    ask(asked)
    monkeypatch.setattr(module, "code_of", lambda classes: {"stages.datasets.voc": {"parse": "another"}})
    assert [ask(asked), ask(asked)] == [2, 2]


@pytest.mark.parametrize("damage", [b"", b"{", b"null\n1", b"\xff\xfe", b"[]", None])
def test_a_damaged_file_is_ignored_and_rewritten(damage: bytes | None) -> None:
    asked = Asked()
    ask(asked)
    (file,) = surveys()
    whole = file.read_bytes()
    file.write_bytes(whole.replace(b'"times": 1', b'"times": 7') if damage is None else damage)
    assert [ask(asked), ask(asked)] == [2, 2]


def test_off_caches_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSDPIPE_CACHE", "off")
    asked = Asked()
    assert [ask(asked), ask(asked)] == [1, 2]


def test_by_default_it_lies_in_the_user_s_cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SSDPIPE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    ask(Asked())
    assert len(list((tmp_path / "ssdpipe" / "surveys").iterdir())) == 1


def test_a_user_without_a_home_caches_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SSDPIPE_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 2**31 - 7)  # no such user
    asked = Asked()
    assert [ask(asked), ask(asked)] == [1, 2]
    assert cache_folder() is None


def test_an_unwritable_cache_still_gives_the_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SSDPIPE_CACHE", str(tmp_path / "file"))
    asked = Asked()
    assert [ask(asked), ask(asked)] == [1, 2]


def test_the_oldest_answers_are_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    asked = Asked()
    for number in range(5):
        ask(asked, question=str(number))
    assert len(surveys()) == 3
    assert ask(asked, question="4") == 5


def test_processes_that_write_at_once_leave_one_whole_answer() -> None:
    with multiprocessing.get_context("fork").Pool(4) as pool:
        pool.map(_write_often, range(4))
    (file,) = surveys()
    asked = Asked()
    assert ask(asked, Stamp(digest=json.loads(file.read_text().partition("\n")[0])["stamp"], settled=True)) == 1
    assert asked.times == 0


def _write_often(process: int) -> None:
    for number in range(50):
        ask(Asked(), Stamp(digest=f"{process} {number}", settled=True))
