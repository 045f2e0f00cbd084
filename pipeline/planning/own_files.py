"""The user's own files: imported by path, and sent to the workers, which import them by name.

Their folder comes last on `sys.path`: a folder `stages` or a file `random.py` beside them hides no other module.
Ray copies them to every node (`py_modules` of the job), where they can import each other as in the driver.
"""

from __future__ import annotations

import ast
import sys
from importlib import import_module
from pathlib import Path
from traceback import extract_tb
from types import ModuleType

from pipeline.errors import PipelineError
from pipeline.keys.code_digest import own_files
from pipeline.keys.public_api import home_modules
from pipeline.planning.graph import Graph
from pipeline.planning.own_names import OURS, elsewhere, refuse_ambiguous_imports


def import_file(text: str) -> ModuleType:
    """Import a file as a module under its own name; modules beside the file can be imported from now on.

    Raises PipelineError when the file does not exist, its name is no module name or already taken, or importing fails.
    """
    path = Path(text).expanduser().resolve()
    if not path.is_file():
        raise PipelineError(f"there is no file {path}")
    _check_name(path)
    for name in OURS:  # now, because an editable install is searched after all folders, so the user's would hide it
        import_module(name)
    refuse_ambiguous_imports(path)
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    try:
        return import_module(path.stem)
    except PipelineError:
        raise
    except Exception as error:
        raise PipelineError(f"{_place(error, path)}: {type(error).__name__}: {error}{_remedy(error, path)}") from error


def own_parts(graph: Graph) -> dict[str, Path]:
    """{name: file or folder} of the user's own modules and packages that the stages of a graph depend on."""
    files = own_files({kind for node in graph.nodes.values() for kind in node.description.classes})
    return {module.partition(".")[0]: _top(module, path) for module, path in files.items() if module != "__main__"}


def _top(module: str, path: Path) -> Path:
    """The file of a top-level module, or the folder of the top-level package that contains it."""
    depth = module.count(".") + (path.name == "__init__.py")
    return path.parents[depth - 1] if depth else path


def _check_name(path: Path) -> None:
    name = path.stem
    if path.suffix != ".py" or not name.isidentifier():
        raise PipelineError(f"{path}: the file needs the name of a Python module, such as {_as_name(name)}.py")
    package = path.with_suffix("") / "__init__.py"
    if other := str(package) if package.is_file() else elsewhere(name, path.parent):
        raise PipelineError(f"{path}: {name} is also the name of {other}; rename the file")


def _as_name(text: str) -> str:
    kept = "".join(letter if letter.isalnum() else "_" for letter in text)
    return kept if kept.isidentifier() else f"my_{kept}"


def _place(error: Exception, path: Path) -> str:
    """File and line of the user's code that raised an error."""
    if isinstance(error, SyntaxError):
        return f"{error.filename}, line {error.lineno}"
    lines = [frame.lineno for frame in extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f"{path}, line {lines[-1]}" if lines else str(path)


def _remedy(error: Exception, path: Path) -> str:
    """The import to write instead, for a file that imports from where an earlier version had one of our modules."""
    if not isinstance(error, ImportError) or not _is_ours(error.name or ""):
        return ""
    imports = (node for node in ast.walk(ast.parse(path.read_bytes())) if isinstance(node, ast.ImportFrom))
    names = {alias.name for node in imports if _is_ours(node.module or "") for alias in node.names}
    promised = ", ".join(sorted(names & home_modules().keys())) or "Experiment"
    return f"; modules move between versions, but the names in ssdpipe stay: write from ssdpipe import {promised}"


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] in OURS
