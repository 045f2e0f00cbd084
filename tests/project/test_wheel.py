"""The wheel: its content, and that it runs without a checkout."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest

from stages.drawn.vocabulary import CLASSES

ROOT = Path(__file__).parents[2]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = SETTINGS["tool"]["importlinter"]["root_packages"]
MODULES = {"opencv-python-headless": "cv2", "pillow": "PIL", "pyyaml": "yaml"}
"""Module names that differ from the name of their distribution."""

pytestmark = pytest.mark.slow


def output(*command: str | Path, where: Path) -> str:
    """Output of a command, run without PYTHONPATH so that it cannot see the checkout."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "SSDPIPE_", "COV_"))}
    done = subprocess.run(command, cwd=where, env=kept, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout, because building creates folders in it."""
    place = tmp_path_factory.mktemp("source")
    for name in (*PACKAGES, "tests", "benchmarks"):
        shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, place)
    return place


@pytest.fixture(scope="module")
def wheel(source: Path) -> Path:
    pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation")
    output(*pip, "--wheel-dir", "dist", ".", where=source)
    (file,) = (source / "dist").glob("*.whl")
    return file


def test_the_wheel_contains_every_file_of_the_packages_and_nothing_else(source: Path, wheel: Path) -> None:
    inside = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}
    files = [file for package in PACKAGES for file in (source / package).rglob("*") if file.is_file()]
    assert inside == {file.relative_to(source).as_posix() for file in files}
    assert {f"{package}/py.typed" for package in PACKAGES} <= inside


@pytest.fixture(
    scope="module",
    params=(sys.executable, "python3.11", "python3.12", "python3.13"),
    ids=lambda python: Path(python).name,
)
def installed(request: pytest.FixtureRequest, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an environment with the wheel installed, which uses the dependencies of another interpreter.

    A .pth file adds their folders. Python does not read .pth files inside those folders, so an editable checkout stays
    invisible.
    """
    folders = dependencies(request.param)
    place = tmp_path_factory.mktemp("environment")
    output(request.param, "-m", "venv", "--without-pip", place, where=place)
    pip = (sys.executable, "-m", "pip", "--python", place / "bin/python", "install", "--quiet", "--no-deps")
    output(*pip, wheel, where=place)
    (packages,) = place.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text("\n".join(folders))
    return place / "bin"


def dependencies(python: str) -> list[str]:
    """Package folders of an interpreter; skips when it is absent or lacks a dependency."""
    names = [re.split(r"[\[><=]", line)[0] for line in SETTINGS["project"]["dependencies"]]
    modules = [MODULES.get(name, name) for name in names]
    script = (
        "import json, sys, importlib.util as util;"
        f"lacking = [name for name in {modules} if not util.find_spec(name)];"
        "print(json.dumps([lacking, [path for path in sys.path if path.endswith('-packages')]]))"
    )
    try:
        done = subprocess.run([python, "-c", script], capture_output=True, text=True, check=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip(f"{python} is not on the PATH")
    lacking, folders = json.loads(done.stdout)
    if lacking:
        assert python != sys.executable, f"MODULES lacks the module name of {lacking}"
        pytest.skip(f"{python} has no {', '.join(lacking)}")
    return list(folders)


def test_the_packages_are_imported_from_the_environment(installed: Path, tmp_path: Path) -> None:
    script = f"import {', '.join(PACKAGES)}; print(*[m.__file__ for m in ({', '.join(PACKAGES)},)])"
    for file in output(installed / "python", "-c", script, where=tmp_path).split():
        assert Path(file).is_relative_to(installed.parent)


def test_the_command_lists_the_experiments_and_plans_one(installed: Path, tmp_path: Path) -> None:
    listed = output(installed / "ssdpipe", "list", where=tmp_path)
    files = [path for path in (ROOT / "experiments").glob("*.py") if "\nexperiment = " in path.read_text()]
    assert len(files) > 10
    assert [path.stem for path in files if path.stem.replace("_", "-") not in listed] == []
    planned = output(installed / "ssdpipe", "plan", "ablation-layers", "--preset", "tiny", where=tmp_path)
    assert "train/conv7-only/seed0" in planned


def test_the_graph_of_the_documents_runs_in_process(installed: Path, tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs/pipeline.md").read_text(), flags=re.DOTALL)
    for words, name in (("class CountObjects", "count_objects.py"), ("run_in_process", "trial.py")):
        (block,) = (block for block in blocks if words in block)
        (tmp_path / name).write_text(block)
    printed = output(installed / "python", "trial.py", where=tmp_path)
    assert ast.literal_eval(printed.splitlines()[-1]).keys() == set(CLASSES)
