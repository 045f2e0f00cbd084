"""Where the names live that users' files import from `ssdpipe`, found by reading its source.

The key of a stage that imports `ShardSet` from there must change with `ssd_core.data.shards`, not with the door.
"""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pipeline.errors import PipelineError

DOOR = "ssdpipe"


@cache
def homes() -> Mapping[str, str]:
    """The module of each name that the door gives; its imports for type checkers are the list."""
    spec = importlib.util.find_spec(DOOR)
    if not spec or not spec.origin:
        raise PipelineError(f"the package {DOOR} is not installed, or a folder of that name hides it: install it again")
    source = Path(spec.origin).read_text()
    return {
        alias.name: node.module or ""
        for block in ast.parse(source).body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def modules_behind(names: tuple[str, ...]) -> set[str]:
    """Modules that an import of these names leads to; of the door as a whole, or of `*`, all that it has."""
    known = homes()
    wanted = known.keys() if not names or "*" in names else names
    return {known[name] for name in wanted if name in known}
