"""The modules that define the names that users import from `ssdpipe`, determined from its source.

The key of a stage that imports `ShardSet` from there must change with `ssd_core.data.shards`, not with `ssdpipe`.
"""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pipeline.errors import PipelineError

PUBLIC_API = "ssdpipe"


@cache
def home_modules() -> Mapping[str, str]:
    """{public name: module that defines it}, from the imports under `if TYPE_CHECKING`."""
    spec = importlib.util.find_spec(PUBLIC_API)
    if not spec or not spec.origin:
        raise PipelineError(
            f"the package {PUBLIC_API} is not installed, or a folder of that name hides it: install it again"
        )
    source = Path(spec.origin).read_text(encoding="utf-8")
    return {
        alias.name: node.module or ""
        for block in ast.parse(source).body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def modules_behind(names: tuple[str, ...]) -> set[str]:
    """Modules that define these public names; all of them for no names (the whole package) or `*`."""
    known = home_modules()
    wanted = known.keys() if not names or "*" in names else names
    return {known[name] for name in wanted if name in known}
