"""A training stopped by Ctrl-C, SIGTERM, `ssdpipe stop` or a closed terminal saves its checkpoint.

The same command resumes it.
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from typer.testing import CliRunner

from experiments.cli.main import app
from pipeline.execution.stopping import SAVE_SECONDS
from pipeline.store.store import Store

if TYPE_CHECKING:
    from tests.experiments.cli.conftest import Project

pytestmark = pytest.mark.slow
STEPS = 360
"""More than are trained in the four to five seconds until a request in the store is heeded: a training that has ended
keeps no checkpoint, and the stop would meet the evaluation."""


@dataclass
class Command:
    """`ssdpipe train` as a person starts it: in a terminal that belongs to it."""

    store: Path
    data: Path
    terminal: int = -1
    process: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.terminal, inner = pty.openpty()
        settings = ("-s", f"schedule.iterations={STEPS}", "-s", "batch_size=2")
        arguments = ["train", "ssd-tiny", *settings, "--data", str(self.data), "--gpus", "0", "--no-mlflow"]

        def own_terminal() -> None:
            os.setsid()
            fcntl.ioctl(inner, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(
            [sys.executable, "-c", "from experiments.cli.main import main; main()", *arguments],
            env=os.environ | {"SSDPIPE_STORE": str(self.store)},
            stdin=inner,
            stdout=subprocess.DEVNULL,
            stderr=(self.store.parent / "printed").open("wb"),
            preexec_fn=own_terminal,
        )
        os.close(inner)

    @property
    def printed(self) -> str:
        return (self.store.parent / "printed").read_text()

    def close_terminal(self) -> None:
        os.close(self.terminal)

    def interrupt(self) -> None:
        os.write(self.terminal, b"\x03")  # the terminal sends SIGINT to all processes of the command

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def request(self) -> None:
        done = CliRunner().invoke(app, ["stop"], env={"SSDPIPE_STORE": str(self.store)}, catch_exceptions=False)
        assert done.exit_code == 0, done.output

    def is_gone(self) -> bool:
        """Whether no process of this command still runs."""
        mark = f"SSDPIPE_STORE={self.store}"
        return not any(mark in _environment(pid) for pid in psutil.pids())


def _environment(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/environ").read_text(encoding="utf-8", errors="replace").split("\0")
    except OSError:
        return []


def _step(store: Path) -> int:
    files = list(store.glob("work/*/progress.json"))
    steps = [json.loads(file.read_bytes()) for file in files if f'"total": {STEPS}' in file.read_text()]
    return int(steps[0]["done"]) if steps else 0


def test_each_kind_of_stop_saves_the_step_reached_and_the_repeated_command_gives_the_undisturbed_weights(
    project: Project, tmp_path: Path
) -> None:
    reached = 0
    for stop in (Command.interrupt, Command.terminate, Command.request, Command.close_terminal):
        command = Command(project.store, project.data)
        _wait_for(partial(_has_passed, command, reached))
        began = time.monotonic()
        stop(command)
        assert command.process.wait(SAVE_SECONDS + 20) == 130, command.printed
        print(f"{stop.__name__}: {time.monotonic() - began:.1f} s")
        assert time.monotonic() - began < SAVE_SECONDS
        saved = max(int(file.stem[-9:]) for file in project.store.glob("work/*/checkpoints/step-*.pt"))
        assert reached < saved == _step(project.store) < STEPS
        assert f"train/ssd-tiny/seed0: step {saved} of {STEPS}" in command.printed
        assert "train ssd-tiny" in command.printed.splitlines()[-1]
        _wait_for(command.is_gone, 10)
        reached = saved
    assert Command(project.store, project.data).process.wait(300) == 0
    assert Command(tmp_path / "undisturbed", project.data).process.wait(300) == 0
    assert _weights(project.store) == _weights(tmp_path / "undisturbed")


def _has_passed(command: Command, step: int) -> bool:
    assert command.process.poll() is None, command.printed
    return _step(command.store) > step


def _weights(store: Path) -> str:
    (training,) = (each for each in Store.open(str(store)).manifests() if each.address == "train/ssd-tiny/seed0")
    return training.digest


def _wait_for(there: Callable[[], bool], seconds: float = 240.0) -> None:
    end = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < end, f"not there after {seconds} s"
        time.sleep(0.1)


def test_ctrl_c_while_ray_starts_ends_with_130_and_the_command_that_continues(project: Project) -> None:
    screen, inner = pty.openpty()
    arguments = [
        "data",
        "shard",
        str(project.data),
        "--split",
        "test",
        "--no-mlflow",
        "--store",
        str(project.store / "b"),
    ]
    process = subprocess.Popen(
        [sys.executable, "-c", "from experiments.cli.main import main; main()", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=inner,
        start_new_session=True,
    )
    os.close(inner)
    printed = b""
    try:
        while b"starting Ray" not in printed:
            printed += os.read(screen, 1000)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(60) == 130
        printed += os.read(screen, 10_000)
    finally:
        process.kill()
        os.close(screen)
    assert b"Traceback" not in printed
    assert f"data shard {project.data} --split test".encode() in printed.rpartition(b"the same command continues:")[2]
