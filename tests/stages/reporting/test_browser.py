"""The page in a real browser, at desktop and phone width. Skipped if Chromium is missing."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from html import escape, unescape
from pathlib import Path
from typing import Any

import cv2
import pytest

from stages.reporting.content import Report
from stages.reporting.page import page

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-component-update",
    "--disable-background-networking", "--disable-sync", "--hide-scrollbars",
)  # fmt: skip
FRAME = """<!doctype html><style>body { margin: 0 } iframe { border: 0; display: block }</style>
<iframe width="%d" height="%d" srcdoc="%s"></iframe><pre></pre><script>%s</script>"""
"""A Chromium window is at least 500 pixels wide; a frame in it can be narrower."""

MEASURE = """onload = () => {
  const frame = document.querySelector("iframe").contentDocument, root = frame.documentElement;
  const all = [...frame.body.querySelectorAll("*")], inside = item => item.closest(".scroll > table, svg");
  const name = item => item.tagName + "." + item.className + " " + item.textContent.slice(0, 40);
  const report = {
    width: root.clientWidth, needs: root.scrollWidth,
    outside: all.filter(item => !inside(item) && item.getBoundingClientRect().right > root.clientWidth + 1).map(name),
    clipped: all.filter(item => !item.matches(".scroll") && !inside(item) && item.clientWidth
      && item.scrollWidth > item.clientWidth + 1).map(name),
    broken: [...frame.images].filter(item => !item.complete || !item.naturalWidth).map(item => item.alt),
    images: frame.images.length,
    empty: [...frame.querySelectorAll("section")].filter(item => item.clientHeight < 60).map(name),
    titles: [...frame.querySelectorAll("h2")].map(item => item.textContent),
  };
  document.querySelector("pre").textContent = JSON.stringify(report);
}"""

Browser = Callable[..., str]


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Browser:
    """Run Chromium on a page with its own profile, and return its output."""
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is installed")

    def run(file: Path, *options: str) -> str:
        profile = tmp_path_factory.mktemp("profile")
        command = [program, *FLAGS, f"--user-data-dir={profile}", *options, file.as_uri()]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout

    return run


@pytest.fixture(params=[1280, 390], ids=["desk", "telephone"])
def framed(request: pytest.FixtureRequest, report: Report, tmp_path: Path) -> tuple[Path, int]:
    """A page that shows the report in a frame of this width and measures it."""
    file = tmp_path / "framed.html"
    file.write_text(FRAME % (request.param, 5200, escape(page(report)), MEASURE))
    return file, request.param


def test_nothing_overflows_is_clipped_or_is_missing(browser: Browser, framed: tuple[Path, int]) -> None:
    file, width = framed
    found = re.search(r"<pre>(\{.*?\})</pre>", browser(file, "--window-size=1300,900", "--dump-dom"), re.DOTALL)
    assert found is not None
    measured: dict[str, Any] = json.loads(unescape(found[1]))
    assert (measured["width"], measured["needs"]) == (width, width)
    assert (measured["outside"], measured["clipped"], measured["broken"], measured["empty"]) == ([], [], [], [])
    assert measured["images"] == 5  # three curves, a figure as SVG and as PNG
    sections = ["Results", "Classes", "Curves", "Figures", "Errors", "Departures from the paper", "Conditions", "Runs"]
    assert measured["titles"] == sections


def test_the_screenshot_has_content_in_the_page_and_none_in_its_margins(
    browser: Browser, framed: tuple[Path, int], tmp_path: Path
) -> None:
    file, width = framed
    shot = tmp_path / "shot.png"
    browser(file, "--window-size=1280,1600", f"--screenshot={shot}")
    pixels = cv2.imread(str(shot), cv2.IMREAD_GRAYSCALE)
    assert pixels is not None
    inside, margin = pixels[:, :width], pixels[:, width - 8 : width]
    assert 0.01 < (inside < 160).mean() < 0.3  # text and lines, neither an empty page nor a black one
    assert (margin == 255).all()
    assert (inside[:400] < 160).any()
    assert (inside[-400:] < 160).any()
