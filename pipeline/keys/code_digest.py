"""Digests of the first-party code in the closure of a class, computed from source without importing it.

The closure follows every import statement (also inside functions, also relative) into the given packages; of a user's
own modules, only those definitions count that the class reaches (`pipeline.keys.reach`). A package's `__init__` counts,
and a name imported from the public API `ssdpipe` counts where it is defined. Methods that only describe a stage
(`pipeline.stage.DESCRIPTIVE`) do not count, in any subclass of `Stage`. Modules imported by a name computed at run time
are not detected.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pipeline.errors import PipelineError
from pipeline.keys.public_api import PUBLIC_API, home_modules
from pipeline.keys.reach import Code, reached_code
from pipeline.keys.source import Import, Source, parents, read_source
from pipeline.stage import DESCRIPTIVE, Stage

FIRST_PARTY = ("ssd_core", "stages")
NEVER = ("pipeline", "experiments", PUBLIC_API)
"""`pipeline` counts by `fingerprint.SCHEMA`; experiments only say what to compute, and `ssdpipe` only re-exports."""


class CodeReader:
    """Reads the code of many classes; each module is read once, so later edits are not noticed."""

    def __init__(self, packages: tuple[str, ...] = FIRST_PARTY) -> None:
        self._packages = packages
        self._modules: dict[_Finder, _Modules] = {}

    def code_of(self, classes: Iterable[type]) -> Code:
        """{module: {definition: digest}} of all first-party modules in the closures of `classes`.

        A class of the user adds what it reaches in its own file, and in the files or packages beside it.
        """
        code: Code = {}
        for kind in _counted(classes):
            for module, definitions in self._of_class(kind).items():
                code[module] = code.get(module, {}) | definitions
        return {module: dict(sorted(definitions.items())) for module, definitions in sorted(code.items())}

    def _of_class(self, kind: type) -> Code:
        modules, name = self._from(kind), kind.__module__
        if modules.is_own(name):
            return reached_code(modules, name, kind.__qualname__.partition(".")[0])
        return {module: modules.definitions(module) for module in modules.closure(name)}

    def files_of(self, classes: Iterable[type]) -> dict[str, Path]:
        """{module: file} of the modules in `code_of`."""
        files: dict[str, Path] = {}
        for kind in _counted(classes):
            files |= self._from(kind).closure(kind.__module__)
        return dict(sorted(files.items()))

    def _from(self, kind: type) -> _Modules:
        """Modules as the module of a class would import them."""
        finder = _finder(kind, self._packages)
        modules = self._modules.setdefault(finder, _Modules(finder))
        if modules.path(kind.__module__) is None:
            modules.paths[kind.__module__] = _own_file(kind)
        return modules


def code_of(classes: Iterable[type], packages: tuple[str, ...] = FIRST_PARTY) -> Code:
    """The current code of `classes`; see `CodeReader.code_of`."""
    return CodeReader(packages).code_of(classes)


def own_files(classes: Iterable[type], packages: tuple[str, ...] = FIRST_PARTY) -> dict[str, Path]:
    """{module: file} of the closures of `classes` outside `packages`: the user's own files."""
    files = CodeReader(packages).files_of(classes)
    return {module: path for module, path in files.items() if _top(module) not in (*packages, *NEVER)}


def changed_modules(code: Mapping[str, Mapping[str, str]], packages: tuple[str, ...] = FIRST_PARTY) -> list[str]:
    """Modules of `packages` that are absent or different on this machine; the user's own files are not compared."""
    here = installed_code(code, packages)
    return [module for module in code if _top(module) in packages and here.get(module) != code[module]]


def installed_code(names: Iterable[str], packages: tuple[str, ...] = FIRST_PARTY) -> Code:
    """{module: {definition: digest}} of those modules of `packages` that exist on this machine; none is imported."""
    modules = _Modules(_Finder(packages))
    listed = [name for name in names if _top(name) in packages and all(map(str.isidentifier, name.split(".")))]
    return {name: modules.definitions(name) for name in listed if modules.path(name)}


class _Modules:
    """Modules as one finder finds them; each is located and read once."""

    def __init__(self, finder: _Finder) -> None:
        self.paths: dict[str, Path | None] = {}
        self._finder = finder
        self._stages: dict[tuple[str, str], bool] = {}
        self._sources: dict[str, Source] = {}
        self._definitions: dict[str, dict[str, str]] = {}
        self._imported: dict[str, dict[str, Path]] = {}

    def is_own(self, module: str) -> bool:
        """Whether a module would be the user's."""
        return _top(module) not in (*self._finder.packages, *NEVER)

    def path(self, module: str) -> Path | None:
        if module not in self.paths:
            self.paths[module] = self._finder.path(module)
        return self.paths[module]

    def definitions(self, module: str) -> dict[str, str]:
        """Digests of a module's definitions, without methods that only describe a stage."""
        if module not in self._definitions:
            source = self._source(module)
            stages = [name for name in source.classes if self._is_described(module, name)]
            descriptive = {f"{name}.{method}" for name in stages for method in DESCRIPTIVE}
            kept = {name: digest for name, digest in source.definitions.items() if name not in descriptive}
            self._definitions[module] = kept
        return self._definitions[module]

    def closure(self, module: str) -> dict[str, Path]:
        """{module: file} of all modules that a module imports, directly or not, itself included."""
        files: dict[str, Path] = {}
        waiting = {module: self.path(module)}
        while waiting:
            name, path = waiting.popitem()
            if path and name not in files:
                files[name] = path
                waiting |= self._imports(name)
        return files

    def _imports(self, module: str) -> dict[str, Path]:
        if module not in self._imported:
            source = self._source(module)
            others = (kind.descriptive for name, kind in source.classes.items() if not self._is_described(module, name))
            imports: list[Import] = [*source.imports, *(imported for descriptive in others for imported in descriptive)]
            names = {*parents(module), *(name for imported in imports for name in imported.modules())}
            self._imported[module] = {name: path for name in names if (path := self.path(name))}
        return self._imported[module]

    def _source(self, module: str) -> Source:
        if module not in self._sources:
            path = self.path(module)
            assert path is not None, "only what was found is read"
            package = module if path.name == "__init__.py" else module.rpartition(".")[0]
            self._sources[module] = read_source(path, package)
        return self._sources[module]

    def _is_described(self, module: str, name: str) -> bool:
        """Whether the descriptive methods of a class only describe a stage.

        The project's tests read every `run` of its own stages. A user's stage is believed only while none of the
        user's modules that it leads to reads a descriptive method.
        """
        return self._is_stage(module, name) and not any(self._source(own).reads for own in self._own_modules(module))

    def _own_modules(self, module: str) -> set[str]:
        """Modules of the user's that a module of the user's imports, directly or not, itself included."""
        found: set[str] = set()
        waiting = {module}
        while waiting:
            name = waiting.pop()
            if name not in found and _top(name) not in (*FIRST_PARTY, *NEVER) and self.path(name):
                found.add(name)
                waiting |= {each for imported in self._source(name).imports for each in imported.modules()}
        return found

    def _is_stage(self, module: str, name: str) -> bool:
        """Whether a class is a subclass of Stage; `name` is as the module writes it: `Train`, `train.Train`."""
        if (module, name) == (Stage.__module__, Stage.__name__):
            return True
        if (module, name) not in self._stages:
            self._stages[module, name] = False  # during the search, because imports can be circular
            self._stages[module, name] = self.path(module) is not None and self._leads_to_stage(module, name)
        return self._stages[module, name]

    def _leads_to_stage(self, module: str, name: str) -> bool:
        source, (head, _, rest) = self._source(module), name.partition(".")
        if name in source.classes:
            return any(self._is_stage(module, base) for base in source.classes[name].bases)
        home, _, last = ".".join(filter(None, (source.bound.get(head, ""), rest))).rpartition(".")
        return self._is_stage(home_modules().get(last, "") if home == PUBLIC_API else home, last)


@dataclass(frozen=True)
class _Finder:
    packages: tuple[str, ...]
    beside: Path | None = None
    """Folder of the user's own file: modules in it count too."""

    own_package: str = ""
    """The user's own package, if their class is in one."""

    def path(self, module: str) -> Path | None:
        top, *rest = module.split(".")
        if top in NEVER:
            return None
        base = package_folder(top) if top in (*self.packages, self.own_package) else self.beside and self.beside / top
        if base is None:
            return None
        stem = base.joinpath(*rest)
        candidates = (stem / "__init__.py", stem.with_suffix(".py"))
        return next((candidate for candidate in candidates if candidate.is_file()), None)


def _counted(classes: Iterable[type]) -> list[type]:
    kinds = [kind for kind in classes if _top(kind.__module__) not in (*sys.stdlib_module_names, "pipeline")]
    return sorted(kinds, key=lambda kind: (kind.__module__, kind.__qualname__))


def _finder(kind: type, packages: tuple[str, ...]) -> _Finder:
    top, _, rest = kind.__module__.partition(".")
    if top in packages or top in NEVER:
        return _Finder(packages)
    if rest:  # a package of the user
        return _Finder(packages, own_package=top)
    return _Finder(packages, _own_file(kind).parent)


def _own_file(kind: type) -> Path:
    source = getattr(sys.modules.get(kind.__module__), "__file__", None)
    if not source:
        raise PipelineError(f"the code of {kind.__module__}.{kind.__qualname__} is in no file; define it in a module")
    return Path(source)


@lru_cache
def package_folder(name: str) -> Path | None:
    """Folder of an importable package."""
    try:
        spec = importlib.util.find_spec(name)
    except ValueError:  # a module in sys.modules that has no spec
        return None
    places = spec.submodule_search_locations if spec else None
    return Path(next(iter(places))) if places else None


def _top(module: str) -> str:
    return module.partition(".")[0]
