"""Code and environment of a bundle's results beside those installed here. Nothing that the bundle names is imported.

Tested in tests/experiments/framework/bundles/test_conditions.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pipeline.keys.code_digest import FIRST_PARTY, installed_code
from pipeline.planning.changes import changed_code, changed_values
from pipeline.store.manifest import Manifest
from pipeline.store.provenance import library_versions


def changed_functions(manifests: Iterable[Manifest]) -> list[str]:
    """Definitions of this project that the results were computed with and that differ from the installed ones."""
    then: dict[str, dict[str, str]] = {}
    lines = dict[str, None]()
    for manifest in manifests:
        for module, definitions in manifest.ingredients.code.items():
            if then.setdefault(module, dict(definitions)) != definitions:
                lines[f"{module}: its results were computed with several versions of it"] = None
    own = {module: code for module, code in then.items() if module.partition(".")[0] in FIRST_PARTY}
    return [*lines, *changed_code(own, installed_code(own))]


def foreign_modules(manifests: Iterable[Manifest]) -> list[str]:
    """Modules of the user who made the bundle, which are neither part of it nor executed."""
    named = {module for manifest in manifests for module in manifest.ingredients.code}
    return sorted(module for module in named if module.partition(".")[0] not in FIRST_PARTY)


def changed_libraries(manifests: Iterable[Manifest]) -> list[str]:
    """Versions of libraries that differ from the installed ones."""
    here, lines = library_versions(), dict[str, None]()
    for libraries in _each(manifests, "libraries"):
        both = {name: str(version) for name, version in libraries.items() if name in here}
        lines |= dict.fromkeys(str(change) for change in changed_values(both, {name: here[name] for name in both}))
    return list(lines)


def _each(manifests: Iterable[Manifest], part: str) -> Iterator[dict[str, Any]]:
    yield from (manifest.provenance.get(part, {}) for manifest in manifests)
