"""The folders of the code, their descriptions, and the imports between them."""

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
    """Dotted name, such as `stages.shards`."""

    holds: str
    """First line of its docstring."""

    files: int


def folders() -> dict[str, Folder]:
    """Return folders by name, sorted; every folder is a package whose docstring describes it."""
    known = {}
    for package in PACKAGES:
        for marker in sorted((ROOT / package).rglob("__init__.py")):
            files = [path for path in marker.parent.glob("*.py") if path != marker]
            name = ".".join(marker.parent.relative_to(ROOT).parts)
            known[name] = Folder(name=name, holds=first_line(marker), files=len(files))
    return known


def first_line(path: Path) -> str:
    """Return the first line of a module's docstring."""
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0]


def imports_inside(package: str) -> dict[str, set[str]]:
    """Map each part of a package to the parts that it imports; a part is a folder or file directly in the package."""
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
    """Return the parts by level: each is above everything that it imports. Raises CycleError for an import cycle."""
    height: dict[str, int] = {}
    for part in TopologicalSorter(edges).static_order():
        height[part] = 1 + max((height[below] for below in edges[part]), default=-1)
    by_height: dict[int, list[str]] = defaultdict(list)
    for part in sorted(height):
        by_height[height[part]].append(part)
    return [by_height[level] for level in sorted(by_height)]


def needed(edges: dict[str, set[str]]) -> dict[str, set[str]]:
    """Return the imports to draw: without those implied by a longer path."""
    beyond: dict[str, set[str]] = {}
    for part in TopologicalSorter(edges).static_order():
        beyond[part] = set().union(*(edges[below] | beyond[below] for below in edges[part]))
    return {part: below - beyond[part] for part, below in edges.items()}
