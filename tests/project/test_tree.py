"""The shape of the tree: how large files and folders may grow."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]
MODULES = sorted(path.relative_to(ROOT) for name in PACKAGES for path in (ROOT / name).rglob("*.py"))

MOST_FILES = 20  # in a folder
MOST_LINES = 400  # in a file


def test_a_folder_holds_one_subject() -> None:
    files = Counter(path.parent for path in MODULES)
    assert {str(folder): count for folder, count in files.items() if count > MOST_FILES} == {}


def test_a_file_holds_one_idea() -> None:
    lines = {str(path): (ROOT / path).read_text().count("\n") for path in MODULES}
    assert {path: count for path, count in lines.items() if count > MOST_LINES} == {}
