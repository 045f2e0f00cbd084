"""docs/fidelity.md says where a fact lives, which test holds it, and what the default is: here it is held to that."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/fidelity.md"
HEADER = ["fact", "source", "lives in", "held by", "our choice"]
CODE_ONLY_FACTS = 25  # things that only the released code tells; their rows start with their number


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One row of the page."""

    fact: str
    source: str
    code: str
    tests: str
    choice: str

    def __str__(self) -> str:
        return self.fact


def facts() -> list[Fact]:
    rows = [[cell.strip() for cell in line.strip().strip("|").split(" | ")] for line in _table_lines()]
    assert all(len(row) == len(HEADER) for row in rows), [row for row in rows if len(row) != len(HEADER)]
    return [Fact(**dict(zip(("fact", "source", "code", "tests", "choice"), row, strict=True))) for row in rows]


def _table_lines() -> Iterator[str]:
    """Rows of all tables with the header of the facts."""
    inside = False
    for line in PAGE.read_text().splitlines():
        if [cell.strip() for cell in line.strip("| ").split(" | ")] == HEADER:
            inside = True
        elif not line.startswith("|"):
            inside = False
        elif inside and not line.startswith("|---"):
            yield line


def places(cell: str) -> list[tuple[str, str]]:
    """File and dotted name of each `path.py: name` of a cell."""
    return re.findall(r"`([\w/]+\.py): ([\w.]+)`", cell)


@cache
def definitions(file: str) -> dict[str, ast.AST]:
    """Everything that a file defines at its top or within a class, by dotted name."""
    return dict(_named("", ast.parse((ROOT / file).read_text()).body))


def _named(prefix: str, body: list[ast.stmt]) -> Iterator[tuple[str, ast.AST]]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield prefix + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from _named(f"{prefix}{node.name}.", node.body)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield prefix + node.target.id, node
        elif isinstance(node, ast.Assign):
            yield from ((prefix + target.id, node) for target in node.targets if isinstance(target, ast.Name))


@pytest.mark.parametrize("fact", facts(), ids=str)
def test_what_the_page_names_is_in_the_code_and_in_the_tests(fact: Fact) -> None:
    assert places(fact.code), f"no `file.py: name` in {fact.code!r}"
    assert places(fact.tests), f"no `file.py: test` in {fact.tests!r}"
    for file, name in [*places(fact.code), *places(fact.tests)]:
        assert name in definitions(file), f"{file} has no {name}"
    assert all(file.startswith("tests/") and "test_" in name for file, name in places(fact.tests))


@pytest.mark.parametrize("fact", [fact for fact in facts() if "default `" in fact.choice], ids=str)
def test_a_default_that_the_page_prints_is_that_of_the_code(fact: Fact) -> None:
    told = ast.literal_eval(re.findall(r"default `([^`]+)`", fact.choice)[0])
    values = [value for place in places(fact.code) for value in _literals(definitions(place[0])[place[1]])]
    assert told in values, f"{fact.code} has {values}"


def _literals(node: ast.AST) -> list[object]:
    """What is assigned, if it is written out."""
    if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
        return []
    try:
        return [ast.literal_eval(node.value)]
    except ValueError:
        return []


def test_every_fact_that_only_the_code_tells_has_its_row() -> None:
    numbers = [int(found[1]) for fact in facts() if (found := re.match(r"(\d+)\. ", fact.fact))]
    assert sorted(set(numbers)) == list(range(1, CODE_ONLY_FACTS + 1))
