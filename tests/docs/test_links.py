"""Links between the documents resolve, and files that they name exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_points_to_a_file(page: Path) -> None:
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")) if "://" not in link]
    assert [link for link in links if not (page.parent / link.partition("#")[0]).exists()] == []


def test_every_page_is_linked_from_the_readme() -> None:
    readme = PAGES[0].read_text()
    assert [page.name for page in PAGES[1:] if f"({page.relative_to(ROOT)})" not in readme] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_and_folder_of_the_project_that_a_page_names_exists(page: Path) -> None:
    text = re.sub(
        r"^`\S+\.py`[^\n]*:\n\n```python", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE
    )  # a file to be written
    named = re.findall(r"`((?:pipeline|ssd_core|stages|experiments|tests|benchmarks|docs|tools)/[\w/.-]*)[`:]", text)
    assert [path for path in named if not (ROOT / path).exists()] == []
