"""Real drivers whose Ray is killed, and one that waits for an answer meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from ray.cluster_utils import Cluster

from pipeline.errors import ClusterLost
from pipeline.ray_backend.head_watch import HeadWatch
from pipeline.ray_backend.leaving import ended_when_lost

DRIVER = """
import sys, time
from dataclasses import dataclass

import experiments.cli.main as command
from pipeline.driver.run import Invocation, run_graph
from pipeline.folder import Folder
from pipeline.mlflow_tracking.client import About
from pipeline.planning.graph import Graph
from pipeline.ray_backend.executor import RayExecutor
from pipeline.stage import Stage
from pipeline.store.store import Store


@dataclass(frozen=True, kw_only=True)
class Waits(Stage):
    saves_when_stopped = True

    def run(self, ctx):
        ctx.work.write_bytes("started", b"")
        time.sleep(600)


if __name__ == "__main__":
    if sys.argv[2] == "asking":  # as a call to a dead head does
        RayExecutor.wait = lambda self, handles, timeout: time.sleep(600)
    graph, store = Graph([Waits()]), Store(Folder.at(sys.argv[1]))
    command.app = lambda: run_graph(graph, store, Invocation(about=About(name="waits"), mlflow=False))
    command.main()
"""
LIMIT = 20.0
"""Seconds that docs/reliability.md promises."""


def start(place: Path, state: str = "", address: str = "") -> subprocess.Popen[str]:
    """A driver in its only stage."""
    (place / "driver.py").write_text(DRIVER)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), "RAY_ADDRESS": address}
    command = [sys.executable, str(place / "driver.py"), str(place / "store"), state]
    driver = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    wait_for(lambda: any((place / "store/work").glob("*/started")))
    return driver


def assert_ends_with_the_command(driver: subprocess.Popen[str]) -> None:
    began = time.monotonic()
    printed, _ = driver.communicate(timeout=90)
    seconds = time.monotonic() - began
    print(f"{seconds:.1f} s")
    assert driver.returncode == 2, printed
    assert "has not answered for" in printed
    assert "the same command continues:\n  driver.py" in printed
    assert seconds < LIMIT


@pytest.mark.slow
@pytest.mark.parametrize("process", ["gcs_server", "raylet"])
def test_when_ray_is_killed_the_run_ends_with_the_command_that_goes_on(process: str, tmp_path: Path) -> None:
    driver = start(tmp_path)
    below = psutil.Process(driver.pid).children(recursive=True)
    next(child for child in below if process in child.name()).kill()
    assert_ends_with_the_command(driver)
    gone, alive = psutil.wait_procs(below, timeout=10)
    assert alive == [], f"{len(gone)} processes ended"


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    yield cluster
    cluster.shutdown()


@pytest.mark.slow
@pytest.mark.parametrize("state", ["stopping", "asking"])
def test_when_the_head_of_a_cluster_dies_a_driver_that_stops_or_asks_it_ends_too(
    state: str, cluster: Cluster, tmp_path: Path
) -> None:
    driver = start(tmp_path, state, cluster.address)
    if state == "stopping":
        driver.terminate()
        time.sleep(1)  # of the 20 s that its stage may take to save
    cluster.head_node.kill_gcs_server()
    assert_ends_with_the_command(driver)


def test_a_block_that_does_not_end_after_the_loss_is_ended() -> None:
    watch, ended = HeadWatch(), threading.Event()
    watch._lost = ClusterLost("Ray's head has not answered for 4 s")
    with ended_when_lost(watch, lambda _: ended.set(), seconds=0.1):
        assert ended.wait(10)


def wait_for(condition: Callable[[], bool]) -> None:
    for _ in range(600):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError("the stage has not started in 60 s")
