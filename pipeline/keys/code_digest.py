"""Digests of the first-party code that a class imports, found by reading source, never by importing.

The closure follows every import statement (also inside functions, also relative) into the given packages; a
package's `__init__` counts, and what is imported from the door `ssdpipe` counts where it lives. Each top-level
definition has a digest of its syntax tree: comments, docstrings, layout, the order of imports, `if TYPE_CHECKING:` and
what a stage only tells of itself (`pipeline.stage.TELLING`) do not count. Modules named by strings at run time are not
seen.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipeline.errors import PipelineError
from pipeline.keys.door import DOOR, modules_behind
from pipeline.stage import TELLING

FIRST_PARTY = ("ssd_core", "stages")
NEVER = ("pipeline", "experiments", DOOR)
"""`pipeline` counts by `fingerprint.SCHEMA`; experiments only say what to compute, the door where things are."""

Code = dict[str, dict[str, str]]


def code_of(classes: Iterable[type], packages: tuple[str, ...] = FIRST_PARTY) -> Code:
    """{module: {definition: digest}} of all first-party modules that the modules of `classes` lead to.

    A class defined outside `packages` brings its own file, and files or packages beside it that it imports.
    """
    return {module: _parsed(path).definitions for module, path in _modules(classes, packages).items()}


def own_files(classes: Iterable[type], packages: tuple[str, ...] = FIRST_PARTY) -> dict[str, Path]:
    """{module: file} of all that `classes` lead to outside of `packages`: a user's own files."""
    return {
        module: path
        for module, path in _modules(classes, packages).items()
        if module.partition(".")[0] not in (*packages, *NEVER)
    }


def changed_modules(code: Mapping[str, Mapping[str, str]], packages: tuple[str, ...] = FIRST_PARTY) -> list[str]:
    """Modules of `packages` that are absent or different on this machine; a user's own files are not looked at."""
    finder = _Finder(packages, None)
    listed = [module for module in code if module.partition(".")[0] in packages]
    return [module for module in listed if _definitions_at(finder.path(module)) != code[module]]


def _definitions_at(path: Path | None) -> dict[str, str] | None:
    return _parsed(path).definitions if path else None


def _modules(classes: Iterable[type], packages: tuple[str, ...]) -> dict[str, Path]:
    files: dict[str, Path] = {}
    for kind in sorted(classes, key=lambda kind: (kind.__module__, kind.__qualname__)):
        if kind.__module__.partition(".")[0] not in (*sys.stdlib_module_names, "pipeline"):
            files |= _closure(kind, packages)
    return files


def _closure(kind: type, packages: tuple[str, ...]) -> dict[str, Path]:
    finder = _finder(kind, packages)
    waiting = [(kind.__module__, finder.path(kind.__module__) or _own_file(kind))]
    files: dict[str, Path] = {}
    while waiting:
        module, path = waiting.pop()
        if module in files:
            continue
        parsed = _parsed(path)
        files[module] = path
        package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        names = {name for imported in parsed.imports for name in imported.modules(package)}
        names |= set(_parents(module))
        waiting += [(name, found) for name in names if (found := finder.path(name))]
    return dict(sorted(files.items()))


@dataclass(frozen=True)
class _Finder:
    packages: tuple[str, ...]
    beside: Path | None
    """Folder of a user's own file: modules in it count too."""

    def path(self, module: str) -> Path | None:
        top, *rest = module.split(".")
        if top in NEVER:
            return None
        base = _package_folder(top) if top in self.packages else self.beside and self.beside / top
        if base is None:
            return None
        stem = base.joinpath(*rest)
        candidates = (stem / "__init__.py", stem.with_suffix(".py"))
        return next((candidate for candidate in candidates if candidate.is_file()), None)


def _finder(kind: type, packages: tuple[str, ...]) -> _Finder:
    top, _, rest = kind.__module__.partition(".")
    if top in packages or top in NEVER:
        return _Finder(packages, None)
    if rest:  # a package of the user
        return _Finder((*packages, top), None)
    return _Finder(packages, _own_file(kind).parent)


def _own_file(kind: type) -> Path:
    source = getattr(sys.modules.get(kind.__module__), "__file__", None)
    if not source:
        raise PipelineError(f"the code of {kind.__module__}.{kind.__qualname__} is in no file; define it in a module")
    return Path(source)


@lru_cache
def _package_folder(name: str) -> Path | None:
    try:
        spec = importlib.util.find_spec(name)
    except ValueError:  # a module in sys.modules that has no spec
        return None
    places = spec.submodule_search_locations if spec else None
    return Path(next(iter(places))) if places else None


def _parents(module: str) -> Iterator[str]:
    while "." in module:
        module = module.rpartition(".")[0]
        yield module


@dataclass(frozen=True)
class _Import:
    """`from <level dots><module> import <names>`, or `import <module>` without names."""

    level: int
    module: str
    names: tuple[str, ...]

    def modules(self, package: str) -> Iterator[str]:
        """Every name that may be a module, parents included."""
        base = self.module
        if self.level:
            above = package.split(".")[: len(package.split(".")) - (self.level - 1)]
            base = ".".join([*above, self.module] if self.module else above)
        if base == DOOR:
            yield from modules_behind(self.names)
            return
        yield base
        yield from _parents(base)
        yield from (f"{base}.{name}" for name in self.names)


@dataclass(frozen=True)
class _Parsed:
    definitions: dict[str, str]
    imports: tuple[_Import, ...]


def _parsed(path: Path) -> _Parsed:
    return _parse(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=4096)
def _parse(path: Path, mtime_ns: int) -> _Parsed:  # noqa: ARG001 - the time is there for the cache
    body = [_computing(node) for node in _statements(ast.parse(path.read_bytes(), filename=str(path)).body)]
    return _Parsed(_definitions(body), tuple(_imports(body)))


def _imports(body: list[ast.stmt]) -> Iterator[_Import]:
    for node in body:
        if isinstance(node, ast.Import):
            yield from (_Import(0, alias.name, ()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield _Import(node.level, node.module or "", tuple(alias.name for alias in node.names))
        else:
            for _, value in ast.iter_fields(node):
                yield from _imports_inside(value)


def _imports_inside(value: Any) -> Iterator[_Import]:
    if isinstance(value, list):
        statements = [item for item in value if isinstance(item, ast.stmt)]
        yield from _imports(_statements(statements))
        for item in value:  # branches that are no statements: except clauses, match cases
            if isinstance(item, ast.ExceptHandler | ast.match_case):
                yield from _imports_inside(item.body)


def _statements(body: list[ast.stmt]) -> list[ast.stmt]:
    """The statements that do something: no docstrings, no `pass`, no block for type checkers only."""
    kept: list[ast.stmt] = []
    for node in body:
        if isinstance(node, ast.If) and _names_type_checking(node.test):
            kept += _statements(node.orelse)
        elif not (isinstance(node, ast.Pass) or _is_text(node)):
            kept.append(node)
    return kept


def _computing(node: ast.stmt) -> ast.stmt:
    """A stage without what it only tells of itself; known by the name of a base, and a class below it is kept whole."""
    if isinstance(node, ast.ClassDef) and any(_name(base) == "Stage" for base in node.bases):
        node.body = [member for member in node.body if getattr(member, "name", "") not in TELLING]
    return node


def _names_type_checking(test: ast.expr) -> bool:
    return _name(test) == "TYPE_CHECKING"


def _name(expression: ast.expr) -> str:
    """Last part of `a.b.c`."""
    return str(getattr(expression, "id", getattr(expression, "attr", "")))


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _definitions(body: list[ast.stmt]) -> dict[str, str]:
    """{name: digest}; methods stand apart from their class, imports and loose statements have an entry each."""
    shapes: dict[str, list[str]] = {}
    for node in body:
        for name, part in _named(node):
            shapes.setdefault(name, []).append(repr(_shape(part)))
    if "imports" in shapes:
        shapes["imports"].sort()
    return {name: hashlib.sha256("\n".join(shapes[name]).encode()).hexdigest()[:16] for name in sorted(shapes)}


def _named(node: ast.stmt) -> Iterator[tuple[str, Any]]:
    if isinstance(node, ast.ClassDef):
        members = _statements(node.body)
        methods = [member for member in members if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef)]
        rest = [member for member in members if member not in methods]
        yield node.name, [node.bases, node.keywords, node.decorator_list, rest]
        yield from ((f"{node.name}.{method.name}", method) for method in methods)
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
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
    """A syntax tree as nested tuples that do not depend on the version of Python: empty fields are left out."""
    if isinstance(value, ast.AST):
        members = ((name, item) for name, item in ast.iter_fields(value) if item is not None and item != [])
        return (type(value).__name__, *((name, _shape(item)) for name, item in members if name not in _SILENT))
    if isinstance(value, list):
        if value and all(isinstance(item, ast.stmt) for item in value):
            value = _statements(value)
        return [_shape(item) for item in value]
    return value


_SILENT = ("kind", "type_comment", "ctx")
