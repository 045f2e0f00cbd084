"""What is shown to users and what is drafted for them imports nothing of ours but `ssdpipe`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from experiments.framework.drafting import DRAFT
from pipeline.keys.code_digest import FIRST_PARTY, NEVER
from pipeline.keys.door import DOOR, homes

ROOT = Path(__file__).parents[2]
SHOWN = {
    page.name: "\n".join(re.findall(r"```python\n(.*?)```", page.read_text(), flags=re.DOTALL))
    for page in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"))
} | {"draft": DRAFT.format(module="mine", name="mine")}


def imported(source: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Modules of ours, and the names that are taken from them."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            yield node.module or "", tuple(alias.name for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, ()) for alias in node.names)


def test_code_for_users_imports_promised_names_only() -> None:
    ours = {
        (page, module, name)
        for page, source in SHOWN.items()
        for module, names in imported(source)
        for name in names
        if module.partition(".")[0] in (*FIRST_PARTY, *NEVER)
    }
    assert {page for page, *_ in ours} == {"own-experiments.md", "pipeline.md", "weights.md", "draft"}
    assert {(module, name in homes()) for _, module, name in ours} == {(DOOR, True)}
