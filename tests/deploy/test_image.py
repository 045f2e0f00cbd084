"""The image cannot be built in a test; its file is compared with the package that it installs."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def copied() -> set[str]:
    lines = re.findall(r"^COPY (.+) \S+$", DOCKERFILE, flags=re.MULTILINE)
    return {name for line in lines for name in line.split()}


def test_all_that_is_copied_exists_and_is_let_through_by_the_ignore_file() -> None:
    let_through = re.findall(r"^!(.+)$", (ROOT / "deploy/Dockerfile.dockerignore").read_text(), flags=re.MULTILINE)
    assert set(let_through) == copied()
    assert [name for name in copied() if not (ROOT / name).exists()] == []


def test_every_package_of_the_wheel_is_in_the_image() -> None:
    packages = {name.rstrip("*") for name in PROJECT["tool"]["setuptools"]["packages"]["find"]["include"]}
    assert packages == {name for name in copied() if (ROOT / name).is_dir()}


def test_versions_are_pinned_and_python_is_one_that_the_package_allows() -> None:
    assert re.search(r"pip install .*--constraint constraints.txt", DOCKERFILE)
    assert re.search(r"^ARG PYTHON=3\.11$", DOCKERFILE, flags=re.MULTILINE)
    assert PROJECT["project"]["requires-python"] == ">=3.11"
