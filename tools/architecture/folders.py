"""The folders of the code, what each says that it holds, and which import which."""

from __future__ import annotations

import ast
from collections import defaultdict
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path

import grimp

from tools.architecture.trace import PACKAGES, ROOT


@dataclass(frozen=True, kw_only=True)
class Folder:
    """A folder of Python files."""

    name: str
    """Dotted: `stages.shards`."""

    holds: str
    """First line of its docstring."""

    files: int


def folders() -> dict[str, Folder]:
    """By name, sorted; every folder is a package and says what it holds."""
    found = {}
    for package in PACKAGES:
        for marker in sorted((ROOT / package).rglob("__init__.py")):
            files = [path for path in marker.parent.glob("*.py") if path != marker]
            name = ".".join(marker.parent.relative_to(ROOT).parts)
            found[name] = Folder(name=name, holds=first_line(marker), files=len(files))
    return found


def first_line(path: Path) -> str:
    """Of a module's docstring."""
    return (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n")[0]


def imports_inside(package: str) -> dict[str, set[str]]:
    """{part of the package: parts that its files import}; a part is a folder or file directly in it."""
    graph = grimp.build_graph(*PACKAGES)
    edges: dict[str, set[str]] = {child: set() for child in graph.find_children(package)}
    for module in graph.find_descendants(package):
        for imported in graph.find_modules_directly_imported_by(module):
            start, end = _part(module), _part(imported)
            if imported.startswith(f"{package}.") and start != end:
                edges[start].add(end)
    return edges


def _part(module: str) -> str:
    return ".".join(module.split(".")[:2])


def floors(edges: dict[str, set[str]]) -> list[list[str]]:
    """Parts by height: each stands above all that it imports. CycleError when there is a circle."""
    height: dict[str, int] = {}
    for part in TopologicalSorter(edges).static_order():
        height[part] = 1 + max((height[below] for below in edges[part]), default=-1)
    by_height: dict[int, list[str]] = defaultdict(list)
    for part in sorted(height):
        by_height[height[part]].append(part)
    return [by_height[level] for level in sorted(by_height)]


def needed(edges: dict[str, set[str]]) -> dict[str, set[str]]:
    """The same without the imports that a longer way implies: what a drawing needs."""
    beyond: dict[str, set[str]] = {}
    for part in TopologicalSorter(edges).static_order():
        beyond[part] = set().union(*(edges[below] | beyond[below] for below in edges[part]))
    return {part: below - beyond[part] for part, below in edges.items()}
