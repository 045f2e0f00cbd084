"""Name clashes between a user's modules and others: refused where the user's files import such a name.

Tested in tests/pipeline/planning/test_own_files.py.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from pipeline.errors import PipelineError
from pipeline.keys.code_digest import FIRST_PARTY, NEVER
from pipeline.keys.source import read_source

OURS = (*FIRST_PARTY, *NEVER)


def refuse_ambiguous_imports(file: Path) -> None:
    """Raise PipelineError when the file, or a neighbour that it imports, imports a name that two modules have.

    One is beside the file; the other belongs to this project, another installed package, or Python. Neighbours that are
    not imported do no harm.
    """
    folder = file.parent
    waiting, read = {file.stem: file}, set[Path]()
    while waiting:
        module, path = waiting.popitem()
        read.add(path)
        for name, neighbour in _neighbours(module, path, folder):
            if other := elsewhere(name.partition(".")[0], folder):
                raise PipelineError(
                    f"{path} imports {name}, which is {neighbour} and also the name of {other}: "
                    f"rename {_part_beside(name, folder)}"
                )
            if neighbour not in read and name.partition(".")[0] not in OURS:
                waiting[name] = neighbour


def elsewhere(name: str, folder: Path) -> str:
    """Location of a module of that name outside the folder; empty if there is none."""
    if name in sys.stdlib_module_names:
        return "a module of Python"
    for spec in _specs(name, folder):
        place = spec.origin or next(iter(spec.submodule_search_locations or ()), "")
        if place and folder not in Path(place).resolve().parents:
            return place
    return ""


def _specs(name: str, folder: Path) -> Iterator[ModuleSpec]:
    """Specs of a loaded module of that name and of those that each finder finds outside the folder; no bare folders."""
    loaded = getattr(sys.modules.get(name), "__spec__", None)
    if loaded:
        yield loaded
    places = [place for place in sys.path if Path(place or ".").resolve() != folder]
    for finder in sys.meta_path:
        spec = PathFinder.find_spec(name, places) if finder is PathFinder else finder.find_spec(name, None)
        if spec and spec.origin:
            yield spec


def _neighbours(module: str, path: Path, folder: Path) -> Iterator[tuple[str, Path]]:
    """Name and path of the modules below the folder that a file imports."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    with suppress(SyntaxError, ValueError):  # importing the file reports where
        source = read_source(path, package)
        imports = [*source.imports, *(imported for kind in source.classes.values() for imported in kind.descriptive)]
        for imported in imports:
            for name in (imported.module, *(f"{imported.module}.{part}" for part in imported.names)):
                if found := _module_at(folder.joinpath(*name.split("."))):
                    yield name, found


def _module_at(stem: Path) -> Path | None:
    candidates = (stem / "__init__.py", stem.with_suffix(".py"))
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def _part_beside(name: str, folder: Path) -> Path:
    top = folder / name.partition(".")[0]
    return top if top.is_dir() else top.with_suffix(".py")
