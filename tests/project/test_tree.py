"""The structure of the tree: where each module is tested, and the maximum size of files and folders."""

from __future__ import annotations

import ast
import re
import tomllib
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]
MODULES = sorted(path.relative_to(ROOT) for name in PACKAGES for path in (ROOT / name).rglob("*.py"))

MOST_FILES = 20  # in a folder
MOST_LINES = 400  # in a file

LOGIC = (
    *(ast.If, ast.IfExp, ast.Match, ast.BoolOp, ast.Try),
    *(ast.For, ast.While, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
    *(ast.BinOp, ast.AugAssign),
)
"""Branches, loops and arithmetic; a function without any of them needs no test of its own."""


def has_logic(tree: ast.Module) -> bool:
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
    statements = (statement for function in functions for statement in function.body)
    return any(isinstance(node, LOGIC) for statement in statements for node in ast.walk(statement))


def named_tests(docstring: str) -> list[str]:
    """Files named by a line `Tested in tests/a/test_b.py, tests/c/test_d.py.`"""
    lines = re.findall(r"^Tested in .+$", docstring, flags=re.MULTILINE)
    return [file for line in lines for file in re.findall(r"tests/[\w/]+\.py", line)]


def reached_from(test: str) -> set[Path]:
    """Modules imported, directly or indirectly, by a test file and the conftest files above it."""
    above = (folder / "conftest.py" for folder in Path(test).parents)
    waiting = [Path(test), *(path for path in above if (ROOT / path).is_file())]
    found: set[Path] = set()
    while waiting:
        new = imported_by(waiting.pop()) - found
        found |= new
        waiting += new
    return found


@cache
def imported_by(path: Path) -> set[Path]:
    """Modules that a file imports, including imports in code that it runs in another process."""
    text = (ROOT / path).read_text()
    names = {first for first, _ in re.findall(IMPORT, text)}
    names |= {f"{first}.{name}" for first, names in re.findall(IMPORT, text) for name in re.findall(r"\w+", names)}
    return {MODULE_NAMES[name] for name in names if name in MODULE_NAMES} | (BY_NAME if path == LOADER else set())


IMPORT = r"\b(?:from|import) ([\w.]+)(?: import (\([^)]*\)|[^\n;]+))?"
MODULE_NAMES = {".".join(path.with_suffix("").parts).removesuffix(".__init__"): path for path in MODULES}
LOADER = Path("experiments/framework/loading.py")
BY_NAME = {path for path in MODULES if path.parent == Path("experiments")}
"""Experiments, which a command imports by name."""


WITH_LOGIC = {path: tree for path in MODULES if has_logic(tree := ast.parse((ROOT / path).read_text()))}


@pytest.mark.parametrize("module", WITH_LOGIC, ids=str)
def test_a_module_with_logic_has_a_test_file_of_its_name_or_names_one(module: Path) -> None:
    own = Path("tests", *module.parts[:-1], f"test_{module.name}")
    named = named_tests(ast.get_docstring(WITH_LOGIC[module]) or "")
    absent = [file for file in named or [str(own)] if not (ROOT / file).is_file()]
    assert absent == [], f"{module}: add {own}, or a line 'Tested in tests/...' to its docstring"
    assert [file for file in named if module not in reached_from(file)] == [], "these do not import it"


def test_no_folder_has_too_many_files() -> None:
    files = Counter(path.parent for path in MODULES)
    assert {str(folder): count for folder, count in files.items() if count > MOST_FILES} == {}


def test_no_file_has_too_many_lines() -> None:
    lines = {str(path): (ROOT / path).read_text().count("\n") for path in MODULES}
    assert {path: count for path, count in lines.items() if count > MOST_LINES} == {}
