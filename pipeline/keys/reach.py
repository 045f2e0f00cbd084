"""The part of the user's own modules that a class depends on: editing the rest changes no key.

A definition reaches what it mentions: definitions of its module, and what names of its module were imported from. Code
that importing a module runs counts in every module that is imported, with what it mentions: all statements but imports,
definitions and assignments to names. So do definitions with a decorator of the user, which may register them. A module
counts as a whole where its names may be looked up at run time (`globals()`), where a class that is reached has
`__init_subclass__`, and where it is imported as a module. What is imported from this project counts by whole modules.

Tested in tests/pipeline/keys/test_reach.py.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Protocol

from pipeline.keys.parts import Part, Parts, read_parts
from pipeline.keys.source import Import, parents

Code = dict[str, dict[str, str]]

ON_IMPORT = "module level"
"""Name of the statements that run when a module is imported."""

WHOLE, IMPORTED = "*", "import"
"""Stand for all definitions of a module, and for none of them."""


class Modules(Protocol):
    """Modules as one file would import them."""

    def path(self, module: str) -> Path | None: ...

    def is_own(self, module: str) -> bool:
        """Whether it would be the user's, by its name."""

    def definitions(self, module: str) -> dict[str, str]:
        """Digests of its definitions."""

    def closure(self, module: str) -> dict[str, Path]:
        """All modules that it imports, directly or not, itself included."""


def reached_code(modules: Modules, module: str, name: str) -> Code:
    """{module: {definition: digest}} that the definition `name` of a user's module depends on."""
    search = _Search(modules)
    search.add(module, name if search.knows(module, name) else WHOLE)
    search.run()
    return search.code


class _Search:
    def __init__(self, modules: Modules) -> None:
        self._modules = modules
        self._waiting: list[tuple[str, str]] = []
        self._seen: set[tuple[str, str]] = set()
        self._parts: dict[str, Parts] = {}
        self.code: Code = {}

    def add(self, module: str, name: str) -> None:
        if (module, name) not in self._seen and self._modules.path(module):
            self._seen.add((module, name))
            self._waiting.append((module, name))

    def knows(self, module: str, name: str) -> bool:
        if not self._modules.path(module):
            return False
        is_submodule = self._modules.path(f"{module}.{name}") is not None
        return is_submodule or name in self._modules.definitions(module) or name in self._read(module).bound

    def run(self) -> None:
        while self._waiting:
            module, name = self._waiting.pop()
            if self._modules.is_own(module):
                self._visit(module, name)
            else:
                closure = self._modules.closure(module)
                self.code |= {each: self._modules.definitions(each) for each in closure}

    def _visit(self, module: str, name: str) -> None:
        definitions, parts = self._modules.definitions(module), self._read(module)
        if name == IMPORTED:
            self._visit_import(module, parts)
        elif name == WHOLE:
            for each in (*definitions, *parts.bound):
                self.add(module, each)
        elif name in definitions:
            self._count(module, name, definitions[name])
            self._follow(module, parts.parts.get(name, Part()))
            for method in (each for each in definitions if each.startswith(f"{name}.")):
                self.add(module, method)
            if name.endswith(".__init_subclass__"):
                self.add(module, WHOLE)
        for imported in parts.bound.get(name, ()):
            self._count(module, f"import {name}", sha256(repr(imported).encode()).hexdigest()[:16])
            self._import(imported)
        self.add(module, IMPORTED)

    def _visit_import(self, module: str, parts: Parts) -> None:
        """Count what runs when a module is imported: its statements, those of its packages and of its imports."""
        self.add(module, ON_IMPORT)
        for package in parents(module):
            self.add(package, IMPORTED)
        for imported in (each for bound in parts.bound.values() for each in bound):
            for each in imported.modules():
                if self._modules.is_own(each):
                    self.add(each, IMPORTED)
        for name, decorators in parts.decorated.items():
            if any(self._is_users(parts, module, each) for each in decorators):
                self.add(module, name)
        if "*" in parts.bound:
            self.add(module, "*")

    def _is_users(self, parts: Parts, module: str, name: str) -> bool:
        """Whether a name of a module is defined there or in another module of the user."""
        imported = {each for bound in parts.bound.get(name, ()) for each in bound.modules()}
        own = any(self._modules.is_own(each) and self._modules.path(each) for each in imported)
        return own or name in self._modules.definitions(module)

    def _follow(self, module: str, part: Part) -> None:
        for name in part.names:
            self.add(module, name)
        for imported in part.imports:
            self._import(imported)
        if part.looks_up:
            self.add(module, WHOLE)

    def _import(self, imported: Import) -> None:
        if not self._modules.is_own(imported.module):
            for module in imported.modules():
                self.add(module, IMPORTED)
            return
        for name in imported.names or (WHOLE,):
            submodule = f"{imported.module}.{name}"
            if self._modules.path(submodule):
                self.add(submodule, WHOLE)
            self.add(imported.module, name if self.knows(imported.module, name) else WHOLE)

    def _count(self, module: str, name: str, digest: str) -> None:
        self.code.setdefault(module, {})[name] = digest

    def _read(self, module: str) -> Parts:
        if module not in self._parts:
            path = self._modules.path(module)
            assert path is not None, "only what was found is read"
            package = module if path.name == "__init__.py" else module.rpartition(".")[0]
            self._parts[module] = read_parts(path, package)
        return self._parts[module]
