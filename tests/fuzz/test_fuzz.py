"""No reader ends in a traceback, hangs, fills the memory or leaves its folder, whatever a file holds.

A few hundred inputs of each target with a fixed seed; `make fuzz` takes 100,000, guided by coverage.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from random import Random
from typing import Any

import pytest

from pipeline.errors import PipelineError
from tests.fuzz.campaign import Campaign
from tests.fuzz.judgement import Judge, own_folder
from tests.fuzz.mutation import in_json, in_tar, in_zip, mutated
from tests.fuzz.target import Case
from tests.fuzz.targets import TARGETS

SEED = 11
SECONDS = 0.5
"""Of each target: what takes longer gets fewer inputs than `INPUTS`, but no fewer than `LEAST`."""

INPUTS, LEAST = 300, 20


@pytest.mark.parametrize("name", TARGETS)
def test_any_file_is_read_or_refused_with_a_sentence(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSDPIPE_CACHE", "off")
    with own_folder() as place:
        campaign = Campaign(TARGETS[name], place, seed=SEED)
        campaign.check_sound_files()
        assert campaign.figures.examples == {}, "sound files"
        end = time.perf_counter() + SECONDS
        for number in range(INPUTS):
            campaign.step()
            if number >= LEAST and time.perf_counter() > end:
                break
        assert campaign.figures.examples == {}
        assert campaign.figures.accepted, "no input was accepted"
        assert campaign.figures.refused or name == "events", "no input was refused"


def judged(tmp_path: Path, read: Any, *, same: bool = False) -> Any:
    return Judge(tmp_path).judge(Case(content=b"sound", read=read), b"changed", same=same)


def raising(error: BaseException) -> Any:
    def read(content: bytes) -> None:
        raise error

    return read


def test_only_a_sentence_refuses(tmp_path: Path) -> None:
    assert judged(tmp_path, raising(PipelineError("it is broken"))).outcome == "refused"
    assert judged(tmp_path, raising(KeyError("x"))).outcome == "fault"
    assert judged(tmp_path, raising(SystemExit(1))).outcome == "fault"
    assert judged(tmp_path, len).outcome == "accepted"


def test_writing_outside_the_folder_and_starting_a_program_are_faults(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    assert judged(inside, (inside / "x").write_bytes).outcome == "accepted"
    assert judged(inside, outside.write_bytes).kind == "Outside"
    assert not outside.exists()
    assert judged(inside, lambda content: outside.mkdir()).kind == "Outside"
    assert judged(inside, lambda content: subprocess.run(["true"], check=True)).kind == "Outside"
    assert judged(inside, lambda content: os.system("true")).kind == "Outside"


def test_a_reader_that_hangs_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.fuzz.judgement.MOST_SECONDS", 0.1)
    assert judged(tmp_path, lambda content: time.sleep(3)).kind == "TooSlow"


FILLS_THE_MEMORY = """
from pathlib import Path
from tests.fuzz import judgement
from tests.fuzz.target import Case

judgement.MOST_MEMORY = 1 << 24
case = Case(content=b"sound", read=lambda content: len(b"x" * (1 << 26)))
print(judgement.Judge(Path.cwd()).judge(case, b"changed").kind)
"""


def test_a_reader_that_fills_the_memory_is_a_fault(tmp_path: Path) -> None:
    """In a process of its own, as in a campaign: that of all tests frees what others have left while it is measured."""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", FILLS_THE_MEMORY]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "memory\n"


def test_a_file_that_was_only_rewritten_must_mean_the_same(tmp_path: Path) -> None:
    assert judged(tmp_path, lambda content: 1, same=True).outcome == "accepted"
    assert judged(tmp_path, len, same=True).kind == "Changed"
    assert judged(tmp_path, raising(PipelineError("no")), same=True).kind == "a harmless change is refused"


@pytest.mark.parametrize("name", ["coco-annotations", "archive-zip", "archive-tar", "voc-annotation"])
def test_the_same_seed_gives_the_same_inputs(name: str, tmp_path: Path) -> None:
    drawn = [TARGETS[name].cases(Random(1), tmp_path / part)[0].content for part in ("a", "b")]
    assert drawn[0] == drawn[1]
    changed = [
        [mutated(content, odd) for _ in range(20)] for content, odd in zip(drawn, map(Random, (3, 3)), strict=True)
    ]
    assert changed[0] == changed[1]
    assert len(set(changed[0])) > 15


def test_mutations_inside_containers_keep_them_readable(tmp_path: Path) -> None:
    import io
    import json
    import tarfile
    import zipfile

    odd = Random(0)
    packed = TARGETS["archive-zip"].cases(Random(1), tmp_path)[0].content
    assert sum(zipfile.is_zipfile(io.BytesIO(in_zip(packed, odd))) for _ in range(20)) == 20
    tarred = TARGETS["archive-tar"].cases(Random(1), tmp_path)[0].content
    opened = [tarfile.TarFile(fileobj=io.BytesIO(in_tar(tarred, odd)), ignore_zeros=True) for _ in range(20)]
    assert opened
    assert all(json.loads(in_json(b'{"a": [1, {"b": 2}]}', odd)) is not ... for _ in range(50))


@pytest.mark.slow
def test_the_command_prints_a_row_for_each_target_and_keeps_nothing_without_a_fault(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "tests.fuzz",
        "--plain",
        "--inputs",
        "40",
        "--keep",
        str(tmp_path),
        "events",
        "csv",
    ]
    done = subprocess.run(
        command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True, timeout=300
    )
    rows = [line.split() for line in done.stdout.splitlines()]
    assert {row[0]: int(row[1]) >= 20 and int(row[4]) == 0 for row in rows[2:4]} == {"events": True, "csv": True}
    assert list(tmp_path.glob("*.bin")) == []
