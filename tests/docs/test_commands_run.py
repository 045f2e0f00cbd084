"""Every command of the documents runs, or is planned, or has a reason why it is only parsed (by test_commands).

They run in the folder of `world`, on a terminal of 80 columns, in which everything they print is legible.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from experiments.cli.main import app
from experiments.cli.requests import EvaluateRequest, Request, ShardRequest, SubmissionRequest
from pipeline.errors import PipelineError
from pipeline.planning.graph import Graph
from stages.placement import Placement
from tests.docs.conftest import World, write_theirs
from tests.docs.test_commands import SSDPIPE

PARSED = {
    "ui": "serves until Ctrl-C; tests/experiments/cli/test_ui.py",
    "doctor --cluster": "starts Ray on every node; tests/experiments/cli/test_doctor_cluster.py",
    "data download": "fetches gigabytes; tests/stages/datasets/fetch",
    "verify": "reads what `bundle` writes; tests/experiments/cli/bundles",
    "weights vgg16": "reads or fetches 500 MB; tests/experiments/cli/test_weights.py",
}
"""Beginnings of commands that are only parsed, and why."""

TESTED_APART = {"own-data.md": "tests/docs/test_own_data.py runs its commands in their order"}
PLANNED = ("train", "run")
"""Commands whose graph `plan` builds."""

REQUESTS: dict[str, type[Request]] = {
    "evaluate weights": EvaluateRequest,
    "data shard": ShardRequest,
    "submission": SubmissionRequest,
}
"""Commands that start Ray: their graph is built."""

LONG = (
    *(
        "analyze",
        "bundle",
        "claims",
        "data show",
        "detect",
        "doctor",
        "export",
        "report",
        "run ablation",
        "weights import",
    ),
    *("plan ablation", "plan all", "plan backbone"),
)
"""Beginnings of commands that take longer than others that are like them."""

THEIRS = "theirs.pth"
SEARCHES = ("bisect", "tune")
"""Commands that train: their option --dry-run is added."""

ALIASES = {
    "analyze": {"DIR": "DETECTIONS"},
    "bisect": {"train/a/seed0": "train/all-six/seed0"}
    | dict.fromkeys(("train/b/seed0", "train/mine"), "train/conv7-only/seed0"),
    "evaluate detections": {"DIR": "DETECTIONS"},
    "plan": {"N": "2"},
    "show": {"train/ssd300-voc0712/seed0": "train/all-six/seed0"},
    "weights import": {"FILE": THEIRS},
    "weights transfer": {"FILE": "COCO"},
}
"""What a placeholder stands for where it is not the data set or the weights."""

REFUSED = {
    "plan": "SSDPIPE_DATA",  # the published data sets are absent
    "data convert DIR --to yolo --out NEW --strict": "nothing was written",  # drawn objects are difficult, too
}
"""Commands that may end with an error, and what it then says."""


def _plain(words: list[str]) -> str:
    """The command without the marks of what may be left out, and without redirections."""
    stripped = [word.strip("[]") for word in words]
    end = next((place for place, word in enumerate(stripped) if word.startswith((">", "2>"))), len(stripped))
    return "\0".join(stripped[:end])


COMMANDS = sorted({_plain(words) for page, words in SSDPIPE if page not in TESTED_APART})
WORDS = [command.split("\0") for command in COMMANDS]


def begins(words: list[str], beginnings: Iterable[str]) -> bool:
    return " ".join(words).startswith(tuple(beginnings))


def cases(commands: Iterable[list[str]]) -> list[Any]:
    """Parameters of a test; those of long commands are slow."""
    marks = {True: [pytest.mark.slow], False: []}
    return [pytest.param(words, marks=marks[begins(words, LONG)], id=" ".join(words)) for words in commands]


def runs(words: list[str]) -> bool:
    return words[0] not in PLANNED and not begins(words, PARSED) and not begins(words, REQUESTS)


@pytest.fixture
def here(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """The current folder is new and holds links to everything of the world."""
    for each in world.folder.iterdir():
        (tmp_path / each.name).symlink_to(each)
    monkeypatch.chdir(tmp_path)
    return world


def ran(here: World, words: list[str]) -> str:
    """What a command prints. It succeeds, or is refused for the reason in REFUSED."""
    if words[0] == "new":  # its file is among the links
        Path(f"{words[-1].replace('-', '_')}.py").unlink()
    aliases = next((names for beginning, names in ALIASES.items() if begins(words, (beginning,))), {})
    words = [aliases.get(word, word) for word in words]
    if words[0] in SEARCHES and "--dry-run" not in words:
        words.append("--dry-run")
    if THEIRS in words:
        write_theirs(Path(THEIRS))
    done = here.ssdpipe(*words)
    if isinstance(done.exception, PipelineError):
        assert next(text for beginning, text in REFUSED.items() if begins(words, (beginning,))) in str(done.exception)
    else:
        assert done.exit_code == 0, f"{done.output}{done.exception!r}"
    assert done.output
    return done.stdout


def too_wide(here: World, text: str) -> list[str]:
    lines = text.replace(str(here.folder), "FOLDER").splitlines()
    return [line for line in lines if len(line) > 80 and max(map(len, line.split())) < 60]


@pytest.mark.parametrize("words", cases(filter(runs, WORDS)))
def test_a_command_runs_and_prints_lines_that_fit_a_terminal(here: World, words: list[str]) -> None:
    assert "--json" in words or too_wide(here, ran(here, words)) == []


def test_the_table_of_a_run_that_was_cut_off_counts_the_missing_rows_and_names_the_command(here: World) -> None:
    compared = here.ssdpipe("compare", "ablation-layers", "--preset", "tiny")
    note = "note: 10 of 12 rows are not run; to run them: ssdpipe run ablation-layers --data DIR"
    assert note in compared.stderr


@pytest.mark.parametrize("words", cases(words for words in WORDS if words[0] in PLANNED))
def test_a_training_is_planned(here: World, words: list[str]) -> None:
    recipe = ["ssd300-voc0712"] if words[1].startswith("-") else []  # the default of `train`
    assert too_wide(here, ran(here, ["plan", *recipe, *words[1:]])) == []


@pytest.mark.parametrize("words", cases(words for words in WORDS if begins(words, REQUESTS)))
def test_the_graph_of_a_command_is_built(here: World, words: list[str]) -> None:
    beginning = next(each for each in REQUESTS if begins(words, (each,)))
    command, kind = typer.main.get_command(app), REQUESTS[beginning]
    for name in beginning.split():
        assert isinstance(command, TyperGroup)
        command = command.commands[name]
    given = command.make_context("ssdpipe", words[len(beginning.split()) :]).params
    request = kind(**{item.name: given[item.name] for item in fields(kind)})
    assert Graph(request.targets(Placement())).nodes


def test_every_reason_and_exception_belongs_to_a_command() -> None:
    for beginning in (*PARSED, *REQUESTS, *LONG, *ALIASES, *REFUSED, *SEARCHES):
        assert any(begins(words, (beginning,)) for words in WORDS), beginning
    pages = {page for page, _ in SSDPIPE}
    assert set(TESTED_APART) <= pages
