"""docs/architecture.md and its drawing match the code; `make architecture` regenerates them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools.architecture.__main__ import picture
from tools.architecture.folders import floors, folders, needed
from tools.architecture.page import folder_table
from tools.architecture.trace import Stop, Trace

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGE = DOCS / "architecture.md"
MOST_FILES = 22
"""Upper limit of files in each walk; they were 37 and 33 before the folders were reorganised."""


def test_the_drawing_matches_the_imports() -> None:
    assert (DOCS / "architecture.svg").read_text() == picture()


def test_every_folder_has_a_description_and_is_listed_on_the_page() -> None:
    known = list(folders().values())
    assert [folder.name for folder in known if not folder.holds] == []
    assert folder_table(known) in PAGE.read_text()


@pytest.mark.slow
def test_the_page_is_up_to_date_and_no_walk_visits_more_than_22_files(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "ignore", "-m", "tools.architecture", str(tmp_path)]
    subprocess.run(command, check=True, timeout=600, cwd=ROOT)
    page = (tmp_path / PAGE.name).read_text()
    assert page == PAGE.read_text(), "run `make architecture`"
    counts = [int(count) for count in re.findall(r"^## .*: (\d+) files$", page, flags=re.MULTILINE)]
    assert len(counts) == 2
    assert max(counts) <= MOST_FILES


def test_a_part_is_drawn_above_all_that_it_imports_and_implied_arrows_are_omitted() -> None:
    edges = {"top": {"middle", "ground"}, "middle": {"ground"}, "ground": set()}
    assert floors(edges) == [["ground"], ["middle"], ["top"]]
    assert needed(edges) == {"top": {"middle"}, "middle": {"ground"}, "ground": set()}


def test_a_trace_lists_a_file_whose_function_receives_or_returns_the_traced_value(tmp_path: Path) -> None:
    from pipeline.folder import Folder
    from pipeline.suggestion import suggestion

    folder = Folder(str(tmp_path))
    with Trace(lambda value: value == b"the thing") as trace:
        suggestion("a", ["b"])
        folder.write_bytes("x", b"the thing")
    assert list(trace.stops.values()) == [Stop("pipeline/folder.py", "Folder.write_bytes")]
