"""`make docs`: the pages become a site whose links lead somewhere and which fetches nothing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest

from tools.site import moved, outside_pages

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, as the command of `make docs` builds it."""
    place = tmp_path_factory.mktemp("site")
    built = build("--site-dir", str(place))
    assert built.returncode == 0, built.stderr
    return place


def build(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", *options],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )


def test_every_document_is_a_page_of_the_site(site: Path) -> None:
    sources = [path.name for path in (ROOT / "docs").glob("*.md")] + list(outside_pages())
    assert [name for name in sources if not (site / name).with_suffix(".html").exists()] == []


def test_every_relative_address_of_a_page_leads_to_a_file_and_to_a_heading_that_exists(site: Path) -> None:
    broken = []
    for page in site.rglob("*.html"):
        for address in re.findall(r'(?:href|src)="([^"]+)"', page.read_text(encoding="utf-8")):
            path, _, heading = unquote(address).partition("#")
            if re.match(r"\w+:|/", path) or page.name == "404.html":
                continue
            target = (page.parent / path).resolve() if path else page
            anchored = not heading or heading == "__skip" or f'id="{heading}"' in target.read_text(encoding="utf-8")
            if not target.exists() or not anchored:
                broken.append((page.name, address))
    assert broken == []


def test_a_page_fetches_nothing_from_the_network(site: Path) -> None:
    fetched = re.compile(r'<(?:script|img|iframe)[^>]+src="(?:https?:)?//|<link[^>]+stylesheet[^>]+href="\w*:?//')
    assert [page.name for page in site.rglob("*.html") if fetched.search(page.read_text(encoding="utf-8"))] == []


def test_links_from_outside_and_to_the_outside_lead_to_pages_of_the_site() -> None:
    assert moved("[s3](docs/cluster.md#s3)", "index.md") == "[s3](cluster.md#s3)"
    assert moved("[front](../README.md) [here](#s3)", "cluster.md") == "[front](index.md) [here](#s3)"
    assert moved("[all](../../README.md)", "benchmarks/results/2026-11-27-h100.md") == "[all](../../index.md)"
    assert moved("[paper](https://arxiv.org/abs/1512.02325)", "data.md") == "[paper](https://arxiv.org/abs/1512.02325)"


def test_a_link_to_a_page_that_does_not_exist_fails_the_build(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "index.md").write_text("[gone](gone.md)")
    (tmp_path / "mkdocs.yml").write_text(
        re.sub(r"\nnav:.*", "\n", re.sub(r"\nhooks: .*", "", (ROOT / "mkdocs.yml").read_text()), flags=re.DOTALL)
    )
    built = build("--config-file", str(tmp_path / "mkdocs.yml"), "--site-dir", str(tmp_path / "site"))
    assert built.returncode != 0
    assert "gone.md" in built.stderr
