"""docs/fidelity.md names the code, the tests and the default of each fact; these must match the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from pathlib import Path

import pytest

from experiments.cli.requests import TrainRequest
from pipeline.planning.graph import Graph
from stages.placement import Placement

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/fidelity.md"
HEADER = ["fact", "source", "lives in", "held by", "our choice"]
CODE_ONLY_FACTS = 25  # facts known only from the released code; their rows start with a number


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One row of the page's tables."""

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
    """Rows of all tables whose header is HEADER."""
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
    """Everything that a file defines at module level or in a class, by dotted name."""
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
def test_every_definition_and_test_that_the_page_names_exists(fact: Fact) -> None:
    assert places(fact.code), f"no `file.py: name` in {fact.code!r}"
    assert places(fact.tests), f"no `file.py: test` in {fact.tests!r}"
    for file, name in [*places(fact.code), *places(fact.tests)]:
        assert name in definitions(file), f"{file} has no {name}"
    assert all(file.startswith("tests/") and "test_" in name for file, name in places(fact.tests))


@pytest.mark.parametrize("fact", [fact for fact in facts() if "default `" in fact.choice], ids=str)
def test_a_default_that_the_page_prints_is_that_of_the_code(fact: Fact) -> None:
    printed = ast.literal_eval(re.findall(r"default `([^`]+)`", fact.choice)[0])
    values = [value for place in places(fact.code) for value in _literals(definitions(place[0])[place[1]])]
    assert printed in values, f"{fact.code} has {values}"


SWITCHED = [
    (fact, switches)
    for fact in facts()
    if "default `" in fact.choice
    and (switches := [tuple(name.split(".")) for _, name in places(fact.code) if name[0].isupper() and "." in name])
]
"""Facts whose default is the default of a field, with the fields: `Recipe.momentum` as ("Recipe", "momentum")."""


@pytest.mark.parametrize("recipe", ["", "ssd300-voc0712"])
@pytest.mark.parametrize(
    ("fact", "switches"), SWITCHED, ids=lambda given: str(given) if isinstance(given, Fact) else ""
)
def test_a_training_started_by_a_command_has_the_default_of_the_page(
    fact: Fact, switches: list[tuple[str, str]], recipe: str
) -> None:
    printed = ast.literal_eval(re.findall(r"default `([^`]+)`", fact.choice)[0])
    given_settings = settings_asked_for(recipe)
    values = [
        {getattr(item, field) for item in given_settings if type(item).__name__ == kind} for kind, field in switches
    ]
    assert {printed} in values, f"`ssdpipe train` has {dict(zip(switches, values, strict=True))}"


@cache
def settings_asked_for(recipe: str) -> list[object]:
    """Every dataclass in the fields of the stages that `ssdpipe train` would run."""
    request = TrainRequest(recipe=recipe) if recipe else TrainRequest()
    nodes = Graph(request.targets(Placement())).nodes.values()
    return [item for node in nodes for item in _parts(node.stage)]


def _parts(value: object) -> Iterator[object]:
    if isinstance(value, tuple):
        yield from (part for item in value for part in _parts(item))
    elif is_dataclass(value) and not isinstance(value, type):
        yield value
        yield from (part for item in fields(value) for part in _parts(getattr(value, item.name)))


def test_most_facts_with_a_default_are_switches() -> None:
    assert len(SWITCHED) == 28


def _literals(node: ast.AST) -> list[object]:
    """The assigned value, if it is a literal."""
    if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
        return []
    try:
        return [ast.literal_eval(node.value)]
    except ValueError:
        return []


def test_every_fact_known_only_from_the_released_code_has_its_row() -> None:
    numbers = [int(found[1]) for fact in facts() if (found := re.match(r"(\d+)\. ", fact.fact))]
    assert sorted(set(numbers)) == list(range(1, CODE_ONLY_FACTS + 1))
