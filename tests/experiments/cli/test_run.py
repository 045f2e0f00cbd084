"""`ssdpipe run` from outside: exit codes, what is said after a failure and Ctrl-C, and the same command again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

SSDPIPE = (sys.executable, "-c", "from experiments.cli.main import main; main()")

EXPERIMENT = """
import os, time
from dataclasses import dataclass
from pathlib import Path
from experiments.framework.experiment import Experiment, Row
from pipeline.stage import Stage, execution

@dataclass(frozen=True, kw_only=True)
class Works(Stage):
    after: tuple[Stage, ...] = ()

    def run(self, ctx):
        ctx.out.write_bytes("usage", os.environ.get("RAY_USAGE_STATS_ENABLED", "unset").encode())

@dataclass(frozen=True, kw_only=True)
class Waits(Stage):
    place: str = execution("")

    def run(self, ctx):
        ctx.work.write_bytes("checkpoint", b"half")
        while Path(self.place, "wait").exists():
            time.sleep(0.1)
        if Path(self.place, "break").exists():
            raise RuntimeError("it broke")

WAITS = Waits(place=str(Path(__file__).parent))

experiment = Experiment(
    name="own", question="Does it run?", answers="no table of the paper", expects="yes", row_title="row",
    rows=(Row(label="quoted", published=0.5),),
    figures=lambda preset: (WAITS, Works(variant="beside"), Works(variant="below", after=(WAITS,))),
)
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "own.py").write_text(EXPERIMENT)
    return tmp_path


def start(place: Path, *arguments: str) -> subprocess.Popen[str]:
    """Without the variables of the tester, so that defaults count."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SSDPIPE_", "RAY_", "MLFLOW_"))}
    command = [*SSDPIPE, "run", "./own.py", "--gpus", "0", "--cpus", "1", "--no-mlflow", *arguments]
    return subprocess.Popen(
        command, cwd=place, env=kept, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, process_group=0
    )


@pytest.mark.slow
def test_a_stage_that_fails_ends_with_1_and_after_ctrl_c_with_130_and_the_same_command_goes_on(place: Path) -> None:
    (place / "break").touch()
    failing = start(place)
    printed, told = failing.communicate(timeout=120)
    assert failing.returncode == 1, told
    assert "waits failed: RuntimeError: it broke" in told
    assert "1 failed, 1 skipped, 2 of 4 stages are kept. To continue:\n" in told
    assert "run ./own.py --gpus 0 --cpus 1 --no-mlflow" in told
    assert "quoted" in printed  # the table, as far as it is there
    assert "report: " in printed

    (place / "break").unlink()
    (place / "wait").touch()
    runs = place / "ssdpipe-store/runs"  # SSDPIPE_STORE is not set
    (before,) = runs.iterdir()
    interrupted = start(place)
    _wait_for(lambda: _has_started(interrupted, runs, before))
    interrupted.send_signal(signal.SIGINT)
    _, told = interrupted.communicate(timeout=60)
    assert interrupted.returncode == 130, told
    assert "waits: interrupted" in told
    assert told.rstrip().endswith("run ./own.py --gpus 0 --cpus 1 --no-mlflow")

    (place / "wait").unlink()
    ending = start(place)
    _, told = ending.communicate(timeout=120)
    assert ending.returncode == 0, told
    assert "2 stages done, 2 cached" in told
    usage = {file.read_text() for file in place.glob("ssdpipe-store/objects/*/*/usage")}
    assert usage == {"0"}  # Ray sends nothing home


@pytest.mark.slow
def test_fail_fast_starts_nothing_after_a_failure(place: Path) -> None:
    (place / "break").touch()
    failing = start(place, "--fail-fast")
    _, told = failing.communicate(timeout=120)
    assert failing.returncode == 1
    assert "1 failed, 3 skipped, 0 of 4 stages are kept" in told


def _has_started(process: subprocess.Popen[str], runs: Path, before: Path) -> bool:
    """Whether a stage of a run after `before` has."""
    assert process.poll() is None, process.communicate()
    events = [run / "events.jsonl" for run in runs.iterdir() if run != before]
    return any('"kind": "started"' in file.read_text() for file in events if file.is_file())


def _wait_for(there: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < end, f"not there after {seconds} s"
        time.sleep(0.2)
