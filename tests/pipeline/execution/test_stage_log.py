"""The log of a stage holds everything it prints by any route; tested in a separate process with its own output."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from pipeline.execution.stage_log import last_lines
from pipeline.folder import Folder

PRINTS = """
import logging, os, subprocess, sys
from pipeline.execution.stage_log import captured
from pipeline.folder import Folder

with captured(Folder.at(sys.argv[1]), "logs/stage.log"):
    print("from Python")
    os.write(2, b"from C\\n")
    subprocess.run([sys.executable, "-c", "print('from a child')"], check=True)
    logging.getLogger("library").info("from a library")
    if len(sys.argv) > 2:
        raise ValueError(sys.argv[2])
print("after the stage")
"""


def stage(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", PRINTS, *arguments], capture_output=True, text=True, check=False)


def test_everything_that_a_stage_prints_is_in_its_log_and_nothing_that_follows(tmp_path: Path) -> None:
    done = stage(tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "after the stage\n", "")
    python, c, child, library = (tmp_path / "logs/stage.log").read_text().splitlines()
    assert (python, c, child) == ("from Python", "from C", "from a child")
    assert library.endswith("INFO library: from a library")


def test_what_python_prints_into_a_log_holds_no_secret(tmp_path: Path) -> None:
    secret = "s3://ann:s3cr3t@bucket/data"
    code = PRINTS.replace("from Python", secret).replace("from a library", secret)
    subprocess.run([sys.executable, "-c", code, tmp_path], check=True)
    lines = (tmp_path / "logs/stage.log").read_text().splitlines()
    assert lines[0] == "s3://bucket/data"
    assert lines[-1].endswith("INFO library: s3://bucket/data")


def test_a_second_attempt_appends_and_a_failure_gives_the_output_back(tmp_path: Path) -> None:
    stage(tmp_path)
    done = stage(tmp_path, "broken")
    assert "ValueError: broken" in done.stderr
    assert (tmp_path / "logs/stage.log").read_text().count("from Python") == 2


def test_the_report_on_a_failure_has_the_last_lines(tmp_path: Path) -> None:
    (tmp_path / "long.log").write_text("".join(f"line {number}\n" for number in range(10_000)))
    folder = Folder.at(str(tmp_path))
    assert last_lines(folder, "long.log", 2) == ["line 9998", "line 9999"]
    assert len(last_lines(folder, "long.log")) == 20
    assert last_lines(folder, "absent.log") == []
