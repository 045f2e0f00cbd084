"""The command that is killed: a training of a small detector by `ssdpipe train`, in processes that carry a mark."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psutil

from experiments.cli.requests import TrainRequest
from pipeline.driver.in_process import run_in_process
from stages.drawn.draw import Draw

MARK = "SSDPIPE_CHAOS"
"""Environment variable by which all processes of a trial are found, however they were started."""

RECIPE = "ssd-tiny"
KEEP_EVERY = 5
"""Steps between two checkpoints."""

MAIN = ("-c", "from experiments.cli.main import main; main()")
WITH_LOADER = ("-m", "tools.chaos.with_loader")
"""The same command with a loader process, which the command line only gives a training on GPUs."""


def draw_images(place: Path, *, train: int = 2000, test: int = 64) -> Path:
    """Draw the data set, unless it exists; eight shards to train on."""
    folder = run_in_process(Draw(train=train, test=test, sides=(64, 96)), str(place / "images"))
    link = place / "drawn"
    link.unlink(missing_ok=True)
    link.symlink_to(folder.path)
    return link


@dataclass(frozen=True)
class Command:
    """`ssdpipe` on one store."""

    data: Path
    store: Path
    mark: str
    iterations: int
    in_process: bool = False
    """Train in the stage's own process, in a quarter of the time of a small training by Ray Train."""

    @classmethod
    def on(cls, data: Path, store: Path, *, iterations: int = 120, in_process: bool = False) -> Command:
        return cls(data, store, uuid4().hex, iterations, in_process)

    def request(self) -> TrainRequest:
        """What the command line of `start` becomes."""
        return TrainRequest(recipe=RECIPE, data=str(self.data), gpus=0, settings=self._settings())

    def _settings(self) -> list[str]:
        return [f"schedule.iterations={self.iterations}", "batch_size=4", f"keep_every={KEEP_EVERY}"]

    def start(self, *, loader: bool = False) -> subprocess.Popen[bytes]:
        """Start the training in a session of its own; its output is appended to `<store>.log`."""
        train = ("train", RECIPE, "--data", str(self.data), "--gpus", "0")
        where = ("--in-process",) if self.in_process else ()
        settings = [part for setting in self._settings() for part in ("-s", setting)]
        return self._start(WITH_LOADER if loader else MAIN, *train, *where, *settings)

    def verifies(self) -> bool:
        return self._start(MAIN, "store", "verify").wait(60) == 0

    def _start(self, main: tuple[str, str], *arguments: str) -> subprocess.Popen[bytes]:
        root = str(Path(__file__).parents[2])
        environment = os.environ | {MARK: self.mark, "SSDPIPE_STORE": str(self.store), "PYTHONPATH": root}
        environment.pop("RAY_ADDRESS", None)
        with self.store.with_suffix(".log").open("ab") as log:
            line = [sys.executable, "-W", "ignore", *main, *arguments]
            return subprocess.Popen(line, env=environment, stdout=log, stderr=log, start_new_session=True)

    def processes(self) -> list[psutil.Process]:
        """Every live process that this command started, directly or not."""
        return [process for process in psutil.process_iter() if self._started(process)]

    def _started(self, process: psutil.Process) -> bool:
        try:
            return bool(process.environ().get(MARK) == self.mark and process.status() != psutil.STATUS_ZOMBIE)
        except psutil.Error:
            return False
