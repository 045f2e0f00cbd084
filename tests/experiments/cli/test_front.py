"""The first page, the version, and the completion of names by the shell."""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import cast

import pytest
import typer
from typer.core import TyperGroup
from typer.testing import CliRunner

from experiments.cli.front import FIRST_COMMANDS, OTHERS
from experiments.cli.main import app
from experiments.framework.names import ALIASES, RECIPES, experiment_names
from tests.experiments.cli.test_main import HEAVY

COMMANDS = cast(TyperGroup, typer.main.get_command(app))
COMPLETION_SECONDS = 0.3
COMPLETE = f"""
import sys
sys.argv[0] = "ssdpipe"
from experiments.cli.main import main
try:
    main()
finally:
    sys.stderr.write(",".join(name for name in {HEAVY} if name in sys.modules))
"""


def first_page() -> str:
    done = CliRunner().invoke(app, [], terminal_width=80, prog_name="ssdpipe")
    assert done.exit_code == 0, done.output
    return done.stdout


def test_without_a_command_a_page_shows_first_commands_and_every_command_once_in_80_columns() -> None:
    page = first_page()
    assert [line for line in page.splitlines() if len(line) > 80] == []
    assert all(command in page for command, _ in FIRST_COMMANDS)
    listed = re.findall(r"^  ([a-z]+) +[A-Z]", page, flags=re.MULTILINE)
    assert sorted(listed) == sorted(COMMANDS.commands)
    assert "..." not in page
    assert OTHERS not in page


@pytest.mark.parametrize("words", [command.split()[1:] for command, _ in FIRST_COMMANDS], ids=" ".join)
def test_the_first_commands_exist_with_their_options(words: list[str]) -> None:
    command = COMMANDS.commands[words[0]]
    options = {name for option in command.params for name in option.opts}
    assert {word for word in words if word.startswith("-")} <= options


def test_help_shows_the_same_groups_and_its_options() -> None:
    page = CliRunner().invoke(app, ["--help"], terminal_width=80).stdout
    titles = re.findall(r"^[A-Z].*:$", first_page(), flags=re.MULTILINE)[1:]
    assert [title for title in titles if title in page.splitlines()] == titles
    assert "--version" in page


def test_the_version_is_that_of_the_package() -> None:
    assert CliRunner().invoke(app, ["--version"]).stdout == f"ssdpipe {version('ssdpipe')}\n"


def completed(line: str, where: Path, **environment: str) -> list[str]:
    """Names that the shell offers for the last word of a command line; no heavy package is imported for them."""
    words = line.split(" ")
    shell = {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1), "_SSDPIPE_COMPLETE": "complete_bash"}
    done = subprocess.run(
        [sys.executable, "-c", COMPLETE],
        capture_output=True,
        text=True,
        check=False,
        cwd=where,
        env=os.environ | shell | environment,
    )
    assert done.stderr == ""
    return done.stdout.split()


def store_with(folder: Path, *, results: tuple[str, ...] = (), planned: tuple[str, ...] = ()) -> Path:
    (folder / "keys").mkdir(parents=True)
    for number, address in enumerate(results):
        (folder / f"keys/{number}.json").write_text(json.dumps({"address": address}))
    (folder / "runs/20261127-000000-000").mkdir(parents=True)
    events = [{"kind": "run_started"}, *({"kind": "planned", "address": each} for each in planned), {"kind": "cached"}]
    (folder / "runs/20261127-000000-000/events.jsonl").write_text("\n".join(map(json.dumps, events)))
    return folder


def test_experiments_recipes_and_presets_are_completed(tmp_path: Path) -> None:
    assert completed("ssdpipe run ", tmp_path) == [*experiment_names(), *ALIASES]
    assert completed("ssdpipe plan ssd-", tmp_path) == ["ssd-tiny"]
    assert completed("ssdpipe run ablation-la", tmp_path) == ["ablation-layers"]
    assert completed("ssdpipe train ssd300-short", tmp_path) == ["ssd300-short-voc0712"]
    assert completed("ssdpipe recipe show ", tmp_path) == list(RECIPES)
    assert completed("ssdpipe run all --preset t", tmp_path) == ["tiny"]


def test_stages_of_the_store_and_of_its_newest_run_are_completed(tmp_path: Path) -> None:
    store = store_with(
        tmp_path / "a", results=("train/a/seed0", "detect/a"), planned=("train/a/seed0", "train/b/seed0")
    )
    assert completed("ssdpipe show train/", tmp_path, SSDPIPE_STORE=str(store)) == ["train/a/seed0", "train/b/seed0"]
    assert completed(f"ssdpipe why --store {store} det", tmp_path) == ["detect/a"]
    assert completed("ssdpipe detect ", tmp_path, SSDPIPE_STORE=str(store)) == ["train/a/seed0", "train/b/seed0"]
    assert completed("ssdpipe show ", tmp_path) == []


def test_a_damaged_store_completes_what_can_be_read(tmp_path: Path) -> None:
    store = store_with(tmp_path / "a", results=("train/a", "train/\x1b[2J"))
    (store / "keys/broken.json").write_text("[1]")
    (store / "runs/20261127-000000-000/events.jsonl").write_bytes(b"\xff\n")
    assert completed("ssdpipe show t", tmp_path, SSDPIPE_STORE=str(store)) == ["train/a"]


def test_a_completion_takes_less_than_three_tenths_of_a_second_of_one_core(tmp_path: Path) -> None:
    store = store_with(tmp_path / "a", results=tuple(f"train/{number}" for number in range(1000)))
    seconds = []
    for _ in range(3):  # other work on the machine slows down single processes
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert len(completed("ssdpipe show train/", tmp_path, SSDPIPE_STORE=str(store))) == 1000
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(seconds) < COMPLETION_SECONDS, seconds
