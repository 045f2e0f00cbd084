"""Commands in the documents exist, with their options; test_commands_run runs or plans them."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from experiments.cli.main import app

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())
TARGETS = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))


def commands(page: Path, program: str) -> list[list[str]]:
    """Arguments of a program in the indented lines of a page."""
    lines = re.findall(
        rf"^    (?:\$ )?{re.escape(program)}(\S* .*)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    return [shlex.split(line, comments=True) for line in lines]


SSDPIPE = [(page.name, words) for page in PAGES for words in commands(page, "ssdpipe")]


@pytest.mark.parametrize(("page", "words"), SSDPIPE, ids=[f"{page}: {' '.join(words)}" for page, words in SSDPIPE])
def test_a_command_that_a_page_shows_has_these_subcommands_and_options(page: str, words: list[str]) -> None:
    command = typer.main.get_command(app)
    while isinstance(command, TyperGroup) and words:
        assert words[0] in command.commands, f"{page}: no {words[0]!r} among {sorted(command.commands)}"
        command, words = command.commands[words[0]], words[1:]
    known = {name for option in command.params for name in (*option.opts, *option.secondary_opts)}
    assert {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)} <= known | {"--help"}


def test_targets_that_the_documents_show_are_in_the_list_of_make_help() -> None:
    shown = {words[0] for page in PAGES for words in commands(page, "make")}
    quoted = {name for page in PAGES for name in re.findall(r"`make ([a-z-]+)`", page.read_text())}
    assert {"demo", "test"} <= shown | quoted <= TARGETS


def test_the_tests_that_contributing_runs_exist() -> None:
    shown = commands(ROOT / "CONTRIBUTING.md", ".venv/bin/pytest")
    paths = [word for words in shown for word in words if word.startswith("tests/")]
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []
    named = [(words[-3], words[-1]) for words in shown if "-k" in words]
    assert [word for file, word in named if not re.search(rf"def test_\w*{word}", (ROOT / file).read_text())] == []


def test_the_other_programs_of_the_environment_are_in_the_extra_dev() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text() + (ROOT / ".pre-commit-config.yaml").read_text()
    programs = set(re.findall(r"\.venv/bin/([\w-]+)", text))
    packages = {"lint-imports": "import-linter"}
    dev = {name.partition(">")[0] for name in SETTINGS["project"]["optional-dependencies"]["dev"]}
    assert "pre-commit" in programs
    assert {packages.get(name, name) for name in programs} <= dev
