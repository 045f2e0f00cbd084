"""What each definition of a module mentions: names, and imports inside it.

Tested in tests/pipeline/keys/test_reach.py.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipeline.keys.source import FUNCTION, Import, absolute_module, blocks_of, imports_in, named_parts, statements

LOOKED_UP = frozenset(("globals", "eval", "exec", "__import__", "import_module", "__subclasses__", "sys.modules"))
"""Ways to reach a definition without writing its name."""


@dataclass(frozen=True)
class Part:
    """What one definition mentions."""

    names: frozenset[str] = frozenset()
    imports: tuple[Import, ...] = ()
    """Imports inside it."""

    @property
    def looks_up(self) -> bool:
        """Whether it may reach definitions that it does not name."""
        return not self.names.isdisjoint(LOOKED_UP)

    def joined(self, other: Part) -> Part:
        return Part(self.names | other.names, self.imports + other.imports)


@dataclass(frozen=True)
class Parts:
    """The definitions of a module, and its imports by the name that they bind."""

    parts: Mapping[str, Part]
    bound: Mapping[str, tuple[Import, ...]]
    decorated: Mapping[str, frozenset[str]]
    """Names in the decorators of each function and class that has any."""


def read_parts(path: Path, package: str) -> Parts:
    """The parts of a module in `package`, to which its relative imports refer."""
    return _parse(path, package, path.stat().st_mtime_ns)


@lru_cache(maxsize=256)
def _parse(path: Path, package: str, mtime_ns: int) -> Parts:  # noqa: ARG001 - mtime_ns is part of the cache key
    body = statements(ast.parse(path.read_bytes(), filename=str(path)).body)
    parts: dict[str, Part] = {}
    for node in body:
        for name, syntax in named_parts(node):
            if name != "imports":
                part = _part(syntax, package)
                parts[name] = parts[name].joined(part) if name in parts else part
    bound: dict[str, tuple[Import, ...]] = {}
    for name, imported in _bound(body, package):
        bound[name] = (*bound.get(name, ()), imported)
    decorated = {
        node.name: frozenset(name for each in node.decorator_list for name in _names(each))
        for node in body
        if isinstance(node, (*FUNCTION, ast.ClassDef)) and node.decorator_list
    }
    return Parts(parts, bound, decorated)


def _part(syntax: Any, package: str) -> Part:
    nodes = list(_nodes(syntax))
    statements_of = [node for node in nodes if isinstance(node, ast.stmt)]
    names = frozenset(name for node in nodes for name in _names(node))
    return Part(names, tuple(imports_in(statements_of, package)))


def _nodes(syntax: Any) -> Iterator[ast.AST]:
    """Syntax trees in nested lists."""
    if isinstance(syntax, ast.AST):
        yield syntax
    elif isinstance(syntax, list):
        for item in syntax:
            yield from _nodes(item)


def _names(root: ast.AST) -> Iterator[str]:
    for node in ast.walk(root):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Global):
            yield from node.names
        elif isinstance(node, ast.Attribute):
            yield from _looked_up(node)


def _looked_up(node: ast.Attribute) -> Iterator[str]:
    """An attribute as a name where it is a way to look up others: `sys.modules`, `importlib.import_module`."""
    owner = f"{node.value.id}." if isinstance(node.value, ast.Name) else ""
    yield from {node.attr, f"{owner}{node.attr}"} & LOOKED_UP


def _bound(body: Iterable[ast.stmt], package: str) -> Iterator[tuple[str, Import]]:
    """Imports that bind names of the module, also in branches."""
    for node in body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.asname or alias.name.partition(".")[0], Import(alias.name)
        elif isinstance(node, ast.ImportFrom):
            if node.module != "__future__":
                module = absolute_module(node, package)
                yield from ((alias.asname or alias.name, Import(module, (alias.name,))) for alias in node.names)
        elif not isinstance(node, (*FUNCTION, ast.ClassDef)):
            for block in blocks_of(node):
                yield from _bound(block, package)
