"""One Python source file as it enters keys: digests of its definitions, its imports, and the bases of its classes.

Each top-level definition has a digest of its syntax tree: comments, docstrings, formatting, the order of imports and
`if TYPE_CHECKING:` do not count.

Tested in tests/pipeline/keys/test_code_digest.py.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipeline.keys.public_api import PUBLIC_API, modules_behind
from pipeline.stage import DESCRIPTIVE


@dataclass(frozen=True)
class Import:
    """`from <module> import <names>`, or `import <module>` without names; the module's name is absolute."""

    module: str
    names: tuple[str, ...] = ()

    def modules(self) -> Iterator[str]:
        """All names that may be modules, including parents."""
        if self.module == PUBLIC_API:
            yield from modules_behind(self.names)
            return
        yield self.module
        yield from parents(self.module)
        yield from (f"{self.module}.{name}" for name in self.names)


@dataclass(frozen=True)
class Class:
    bases: tuple[str, ...]
    """Bases as written: `Stage`, `pipeline.stage.Stage`."""

    descriptive: tuple[Import, ...]
    """Imports inside methods whose names are in `DESCRIPTIVE`."""


@dataclass(frozen=True)
class Source:
    definitions: Mapping[str, str]
    """{name: digest}; methods are listed separately from their class as `Class.method`."""

    imports: tuple[Import, ...]
    """All imports except those in `Class.descriptive`."""

    classes: Mapping[str, Class]
    reads: frozenset[str]
    """Names in `DESCRIPTIVE` that are read as attributes, outside the methods of these names."""

    bound: Mapping[str, str]
    """{top-level name: the import it refers to}, such as {"Stage": "pipeline.stage.Stage"}."""


def read_source(path: Path, package: str) -> Source:
    """The source of a module in `package`, to which its relative imports refer."""
    return _parse(path, package, path.stat().st_mtime_ns)


def parents(module: str) -> Iterator[str]:
    while "." in module:
        module = module.rpartition(".")[0]
        yield module


@lru_cache(maxsize=4096)
def _parse(path: Path, package: str, mtime_ns: int) -> Source:  # noqa: ARG001 - mtime_ns is part of the cache key
    body = statements(ast.parse(path.read_bytes(), filename=str(path)).body)
    descriptive = {node.name: _descriptive(node) for node in body if isinstance(node, ast.ClassDef)}
    apart = frozenset(id(method) for methods in descriptive.values() for method in methods)
    return Source(
        definitions=_definitions(body),
        imports=tuple(imports_in(body, package, apart)),
        classes={
            node.name: Class(tuple(_bases(node)), tuple(imports_in(descriptive[node.name], package)))
            for node in body
            if isinstance(node, ast.ClassDef)
        },
        reads=frozenset(_reads(body, apart)),
        bound=dict(_bound(body, package)),
    )


def _descriptive(node: ast.ClassDef) -> list[ast.stmt]:
    return [method for method in node.body if isinstance(method, FUNCTION) and method.name in DESCRIPTIVE]


def _bases(node: ast.ClassDef) -> Iterator[str]:
    for base in node.bases:
        yield ast.unparse(base.value if isinstance(base, ast.Subscript) else base)


def imports_in(body: Iterable[ast.stmt], package: str, apart: frozenset[int] = frozenset()) -> Iterator[Import]:
    """Imports at all depths, also inside functions, but not inside the statements `apart`."""
    for node in body:
        if isinstance(node, ast.Import):
            yield from (Import(alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield Import(absolute_module(node, package), tuple(alias.name for alias in node.names))
        elif id(node) not in apart:
            for block in blocks_of(node):
                yield from imports_in(block, package, apart)


def _reads(body: Iterable[ast.AST], apart: frozenset[int]) -> Iterator[str]:
    for node in body:
        if id(node) not in apart:
            if isinstance(node, ast.Attribute) and node.attr in DESCRIPTIVE:
                yield node.attr
            yield from _reads(ast.iter_child_nodes(node), apart)


def blocks_of(node: ast.AST) -> Iterator[list[ast.stmt]]:
    """Statement lists below a statement: its body and branches, including except clauses and match cases."""
    for _, value in ast.iter_fields(node):
        if isinstance(value, list):
            yield statements([item for item in value if isinstance(item, ast.stmt)])
            for item in value:
                if isinstance(item, ast.ExceptHandler | ast.match_case):
                    yield from blocks_of(item)


def _bound(body: Iterable[ast.stmt], package: str) -> Iterator[tuple[str, str]]:
    for node in body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                yield (alias.asname, alias.name) if alias.asname else (top, top)
        elif isinstance(node, ast.ImportFrom):
            module = absolute_module(node, package)
            yield from ((alias.asname or alias.name, f"{module}.{alias.name}") for alias in node.names)
        elif not isinstance(node, (*FUNCTION, ast.ClassDef)):
            for block in blocks_of(node):
                yield from _bound(block, package)


def absolute_module(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    above = package.split(".")[: len(package.split(".")) - (node.level - 1)]
    return ".".join([*above, node.module] if node.module else above)


def statements(body: list[ast.stmt]) -> list[ast.stmt]:
    """Statements that have an effect: no docstrings, no `pass`, no blocks for type checkers only."""
    kept: list[ast.stmt] = []
    for node in body:
        if isinstance(node, ast.If) and ast.unparse(node.test).rpartition(".")[2] == "TYPE_CHECKING":
            kept += statements(node.orelse)
        elif not (isinstance(node, ast.Pass) or _is_text(node)):
            kept.append(node)
    return kept


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _definitions(body: list[ast.stmt]) -> dict[str, str]:
    """{name: digest}; imports share one entry, and so do other module-level statements."""
    shapes: dict[str, list[str]] = {}
    for node in body:
        for name, part in named_parts(node):
            shapes.setdefault(name, []).append(repr(_shape(part)))
    if "imports" in shapes:
        shapes["imports"].sort()
    return {name: hashlib.sha256("\n".join(shapes[name]).encode()).hexdigest()[:16] for name in sorted(shapes)}


def named_parts(node: ast.stmt) -> Iterator[tuple[str, Any]]:
    if isinstance(node, ast.ClassDef):
        members = statements(node.body)
        methods = [member for member in members if isinstance(member, FUNCTION)]
        rest = [member for member in members if member not in methods]
        yield node.name, [node.bases, node.keywords, node.decorator_list, rest]
        yield from ((f"{node.name}.{method.name}", method) for method in methods)
    elif isinstance(node, FUNCTION):
        yield node.name, node
    elif isinstance(node, ast.Import | ast.ImportFrom):
        if getattr(node, "module", "") != "__future__":
            yield "imports", node
    elif isinstance(node, ast.Assign) and all(isinstance(target, ast.Name) for target in node.targets):
        yield from ((target.id, node.value) for target in node.targets if isinstance(target, ast.Name))
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield node.target.id, node.value
    else:
        yield "module level", node


def _shape(value: Any) -> Any:
    """A syntax tree as nested tuples that do not depend on the Python version: empty fields are omitted."""
    if isinstance(value, ast.AST):
        members = [(name, getattr(value, name, None)) for name in value._fields if name not in _SILENT]
        return (type(value).__name__, *[(name, _shape(item)) for name, item in members if item not in (None, [])])
    if isinstance(value, list):
        if value and all(isinstance(item, ast.stmt) for item in value):
            value = statements(value)
        return [_shape(item) for item in value]
    return value


FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
_SILENT = ("kind", "type_comment", "ctx")
