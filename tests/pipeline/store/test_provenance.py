"""What is recorded about the conditions of a result."""

from __future__ import annotations

import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from pipeline.store import provenance

ROOT = Path(__file__).parents[3]


def git(*arguments: str) -> str:
    return subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a checkout of git")
def test_the_commit_is_recorded_and_whether_files_differ_from_it() -> None:
    recorded = provenance.git()
    assert recorded["commit"] == git("rev-parse", "HEAD")
    assert recorded["dirty"] == bool(git("diff", "HEAD")) == bool(recorded["difference"])


def test_versions_are_those_of_the_installed_libraries() -> None:
    recorded = provenance.library_versions()
    assert recorded["torch"] == version("torch")
    assert set(recorded) <= set(provenance.LIBRARIES)


def test_a_gpu_is_listed_by_what_the_driver_s_program_prints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    ask = provenance.gpus.__wrapped__  # without the cache of this process
    assert ask("name") == ()
    program = tmp_path / "nvidia-smi"
    program.write_text('#!/bin/sh\necho "NVIDIA H100"\necho "$1"\n')
    program.chmod(0o755)
    assert ask("name") == ("NVIDIA H100", "--query-gpu=name")
    program.write_text("#!/bin/sh\necho no driver\nexit 9\n")
    assert ask("name") == ()


def test_a_user_without_an_entry_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "someone")
    assert provenance.user() == "someone"
