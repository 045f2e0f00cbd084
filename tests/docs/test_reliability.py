"""docs/reliability.md names the tests of each promise; these must exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reliability.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py): (test_\w+)`", PAGE)))
PROMISES = [line.strip("| ").split(" | ") for line in PAGE.splitlines() if line.startswith("| ") and "`tests/" in line]


@cache
def defined_in(file: str) -> set[str]:
    body = ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8")))
    return {node.name for node in body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(("file", "test"), NAMED)
def test_every_test_that_the_page_names_exists(file: str, test: str) -> None:
    assert test in defined_in(file)


def test_every_mention_of_a_test_has_the_form_that_is_checked() -> None:
    assert PAGE.count("tests/") == len(re.findall(r"`tests/[\w/]+\.py: test_\w+`", PAGE))


def test_every_promise_is_one_sentence_beside_its_tests() -> None:
    assert len(PROMISES) > 10
    assert all(len(cells) == 2 and cells[0] for cells in PROMISES)
