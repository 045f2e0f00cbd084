"""Ports that stop answering, with a clock of the test; and real drivers whose Ray is killed."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from pipeline.errors import ClusterLost
from pipeline.ray_backend.head_watch import HeadWatch

DRIVER = """
import sys, time
from dataclasses import dataclass

from pipeline.driver.run import Invocation, run_graph
from pipeline.errors import PipelineError
from pipeline.mlflow_tracking.client import About
from pipeline.planning.graph import Graph
from pipeline.stage import Stage
from pipeline.store.store import Store
from pipeline.folder import Folder


@dataclass(frozen=True, kw_only=True)
class Waits(Stage):
    def run(self, ctx):
        ctx.work.write_bytes("started", b"")
        time.sleep(600)


if __name__ == "__main__":
    try:
        run_graph(Graph([Waits()]), Store(Folder.at(sys.argv[1])), Invocation(about=About(name="waits"), mlflow=False))
    except PipelineError as error:
        print(error)
        sys.exit(error.exit_code)
"""


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def listening() -> tuple[socket.socket, str]:
    server = socket.create_server(("127.0.0.1", 0))
    return server, f"127.0.0.1:{server.getsockname()[1]}"


def test_a_port_that_refuses_for_four_seconds_is_gone() -> None:
    server, address = listening()
    clock = Clock()
    watch = HeadWatch(clock=clock)
    watch.watch("Ray's head", address)
    watch.check()
    server.close()
    clock.now = 2.0
    watch.check()
    clock.now = 4.0
    with pytest.raises(ClusterLost, match=rf"Ray's head at {address} has not answered for 4 s \(Connection refused\)"):
        watch.check()


def test_a_port_that_comes_back_is_not() -> None:
    server, address = listening()
    clock = Clock()
    watch = HeadWatch(clock=clock)
    watch.watch("Ray's head", address)
    server.close()
    clock.now = 3.0
    watch.check()
    with socket.create_server(("127.0.0.1", int(address.rpartition(":")[2]))):
        clock.now = 5.0
        watch.check()
    clock.now = 8.0
    watch.check()


def test_an_address_that_never_answered_is_not_watched() -> None:
    server, address = listening()
    server.close()
    clock = Clock()
    watch = HeadWatch(clock=clock)
    watch.watch("Ray's head", address)
    watch.watch("Ray's head", "ray-client-without-a-port")
    clock.now = 1000.0
    watch.check()


@pytest.mark.slow
@pytest.mark.parametrize("process", ["gcs_server", "raylet"])
def test_when_ray_is_killed_the_run_ends_with_the_command_that_goes_on(process: str, tmp_path: Path) -> None:
    (tmp_path / "driver.py").write_text(DRIVER)
    command = [sys.executable, str(tmp_path / "driver.py"), str(tmp_path / "store")]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    driver = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    wait_for(lambda: any((tmp_path / "store/work").glob("*/started")))
    below = psutil.Process(driver.pid).children(recursive=True)
    next(child for child in below if process in child.name()).kill()
    began = time.monotonic()
    printed, _ = driver.communicate(timeout=60)
    seconds = time.monotonic() - began
    assert driver.returncode == 2, printed
    assert "has not answered for" in printed
    assert "the same command goes on" in printed
    print(f"{process}: {seconds:.1f} s")
    assert seconds < 20, "the bound that docs/reliability.md states"
    gone, alive = psutil.wait_procs(below, timeout=90)  # agents of Ray wait a minute for a head that may come back
    assert alive == [], f"{len(gone)} processes ended"


def wait_for(condition: Callable[[], bool]) -> None:
    for _ in range(600):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError("the stage has not started in 60 s")
