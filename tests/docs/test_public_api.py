"""Code in the documents and in the template of an experiment imports only `ssdpipe` from this project."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from experiments.framework.drafting import DRAFT
from pipeline.keys.code_digest import FIRST_PARTY, NEVER
from pipeline.keys.public_api import PUBLIC_API, home_modules

ROOT = Path(__file__).parents[2]
SHOWN = {
    page.name: "\n".join(re.findall(r"```python\n(.*?)```", page.read_text(), flags=re.DOTALL))
    for page in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"))
} | {"draft": DRAFT.format(module="mine", name="mine")}


def imported(source: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Imported modules, with the names imported from each."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            yield node.module or "", tuple(alias.name for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, ()) for alias in node.names)


def test_code_for_users_imports_public_names_only() -> None:
    ours = {
        (page, module, name)
        for page, source in SHOWN.items()
        for module, names in imported(source)
        for name in names
        if module.partition(".")[0] in (*FIRST_PARTY, *NEVER)
    }
    pages = {"detect.md", "export.md", "own-experiments.md", "pipeline.md", "weights.md", "draft"}
    assert {page for page, *_ in ours} == pages
    assert {(module, name in home_modules()) for _, module, name in ours} == {(PUBLIC_API, True)}
