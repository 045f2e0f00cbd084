"""A hook of mkdocs: the pages that lie outside docs/ are part of the site, and links to them lead there.

README.md is the first page. mkdocs calls the two functions by their names.

Tested in tests/docs/test_site.py.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"

_LINK = re.compile(r"(?<=\]\()(?!\w+:|#)([^)#\s]+)")


def outside_pages() -> dict[str, Path]:
    """Return the pages outside docs/, by their place in the site."""
    results = {str(path.relative_to(ROOT)): path for path in sorted((ROOT / "benchmarks/results").glob("*.md"))}
    texts = {"index.md": "README.md", "CONTRIBUTING.md": "CONTRIBUTING.md", "CHANGELOG.md": "CHANGELOG.md"}
    return {place: ROOT / name for place, name in texts.items()} | results


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the pages from outside docs/."""
    from mkdocs.structure.files import File

    for place, path in outside_pages().items():
        files.append(File.generated(config, place, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, *, page: Page, **_: Any) -> str:
    """Rewrite the relative links of a page from places in the project to places in the site."""
    return moved(markdown, page.file.src_uri)


def moved(markdown: str, place: str) -> str:
    """Return the text of the page at `place` in the site, with its links leading to pages of the site.

    >>> moved("[how](docs/data.md#splits), [why](CHANGELOG.md)", "index.md")
    '[how](data.md#splits), [why](CHANGELOG.md)'
    >>> moved("[front](../README.md)", "data.md")
    '[front](index.md)'
    """
    pages = {path: name for name, path in outside_pages().items()}
    folder = outside_pages().get(place, DOCS / place).parent
    up = "../" * place.count("/")

    def target(link: re.Match[str]) -> str:
        path = (folder / link[1]).resolve()
        if path in pages:
            return up + pages[path]
        return up + str(path.relative_to(DOCS)) if path.is_relative_to(DOCS) else link[1]

    return _LINK.sub(target, markdown)
