"""Trainings on several Ray nodes of this machine; the driver is a process of its own, with RAY_ADDRESS."""

from __future__ import annotations

import os
import pickle
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ray.cluster_utils import Cluster

from pipeline.driver.in_process import run_in_process
from pipeline.folder import Folder
from pipeline.stage import Stage
from pipeline.store.store import Store
from ssd_core.spec.recipe import Recipe
from ssd_core.spec.schedule import Schedule
from stages.drawn.draw import Draw
from stages.training.elastic.certificate_text import NAME, certificate_lines
from stages.training.elastic.history import History
from stages.training.train import Train

if TYPE_CHECKING:
    from ssd_core.spec.detector import DetectorSpec

pytestmark = pytest.mark.slow
CODE = Path(__file__).parents[3]
PACKAGES = ("pipeline", "ssd_core", "stages", "experiments", "ssdpipe")
DRIVER = """
import pickle, sys
from pathlib import Path
from pipeline.driver.run import Invocation, run_graph
from pipeline.errors import PipelineError
from pipeline.mlflow_tracking.client import About
from pipeline.planning.graph import Graph
from pipeline.store.store import Store

if __name__ == "__main__":
    graph = Graph([pickle.loads(Path(sys.argv[1], "stage").read_bytes())])
    about = About(name="cluster", primary_metric="", note="")
    try:
        run_graph(graph, Store.open(sys.argv[1] + "/store"), Invocation(about=about, mlflow=False))
    except PipelineError as error:
        print(error)
        sys.exit(error.exit_code)
"""


@pytest.fixture(scope="module")
def head() -> Iterator[Cluster]:
    """The head node, without CPUs, so that each test decides where tasks run."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    dashboard = {"include_dashboard": True, "dashboard_port": port}
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **dashboard})
    yield cluster
    cluster.shutdown()


@pytest.fixture
def add_node(head: Cluster) -> Iterator[Callable[..., Any]]:
    """Add a node for the duration of a test; `path` comes first on the PYTHONPATH of its workers."""
    nodes = []

    def add(*path: Path, **resources: int) -> Any:
        environment = {"PYTHONPATH": os.pathsep.join(map(str, (*path, CODE)))}
        nodes.append(head.add_node(**({"num_cpus": 1} | resources), env_vars=environment))
        return nodes[-1]

    yield add
    for node in nodes:
        if node in head.worker_nodes:
            head.remove_node(node, allow_graceful=False)


@pytest.fixture
def training(drawn: Any, small_spec: DetectorSpec) -> Train:
    schedule = Schedule(iterations=12, base_lr=1e-3, drops=(10,))
    recipe = Recipe(spec=small_spec, batch_size=4, schedule=schedule, seed=1)
    return Train(recipe=recipe, shards=drawn.train, workers=1, checkpoint_steps=2, log_steps=1)


@pytest.fixture
def start(head: Cluster, tmp_path: Path, training: Train) -> Callable[[Stage], subprocess.Popen[str]]:
    """Start a driver for a stage; the shards of the training are in its store."""
    run_in_process(training.shards, str(tmp_path / "store"))

    def begin(stage: Stage) -> subprocess.Popen[str]:
        (tmp_path / "stage").write_bytes(pickle.dumps(stage))
        (tmp_path / "driver.py").write_text(DRIVER)
        environment = {**os.environ, "RAY_ADDRESS": head.address, "PYTHONPATH": str(CODE)}
        return subprocess.Popen(
            [sys.executable, tmp_path / "driver.py", tmp_path],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment,
        )  # fmt: skip

    return begin


def ended(driver: subprocess.Popen[str]) -> tuple[int, str]:
    output, _ = driver.communicate(timeout=240)
    return driver.returncode, output


def edited_copy(folder: Path) -> Path:
    """This code with another learning rate of biases."""
    for package in PACKAGES:
        shutil.copytree(CODE / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    edited = folder / "ssd_core/training/optimiser.py"
    edited.write_text(edited.read_text().replace("BIAS_LR_SCALE = 2.0", "BIAS_LR_SCALE = 4.0"))
    return folder


def test_a_node_with_other_code_is_refused_as_training_worker_and_for_tasks_of_a_map(
    add_node, start, training, tmp_path: Path
):
    add_node(edited_copy(tmp_path / "copy"))
    for stage in (training, Draw(train=5, test=3)):
        code, output = ended(start(stage))
        assert code == 2, output
        assert "differs from the driver's in ssd_core.training.optimiser. Install the same version" in output


DEADLY = """
import os, sys
from pathlib import Path

class Kills:
    def find_spec(self, name, path=None, target=None):
        mark = Path({mark!r})
        if name == "stages.training.process_group" and not mark.exists():
            mark.touch()
            os._exit(7)

sys.meta_path.insert(0, Kills())
"""


def test_a_worker_that_dies_while_it_starts_is_started_again(add_node, start, training, tmp_path: Path):
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(DEADLY.format(mark=str(tmp_path / "died")))
    add_node(site)
    code, output = ended(start(training))
    assert (tmp_path / "died").exists()
    assert code == 0, output


def slow_training(training: Train, **execution: Any) -> Train:
    """A training of a minute or so."""
    schedule = Schedule(iterations=1500, base_lr=1e-4, drops=())
    recipe = replace(training.recipe, schedule=schedule, batch_size=8)
    return replace(training, recipe=recipe, workers=2, checkpoint_steps=20, log_steps=20, **execution)


def await_steps(store: Path, workers: int, after: int = 0) -> int:
    """Wait until steps on so many workers are recorded that lie after the given one; return the last of them."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        for work in store.glob("work/*"):
            for part in reversed(History.at(Folder(str(work))).steps()):
                if part.workers == workers and part.first > after:
                    return part.last
        time.sleep(0.2)
    raise AssertionError(f"no steps on {workers} workers after step {after}")


def test_a_training_goes_on_with_the_workers_that_are_left_and_takes_new_ones_in(
    add_node, head, start, training, tmp_path: Path
):
    store = tmp_path / "store"
    add_node()
    second = add_node()
    driver = start(slow_training(training, min_workers=1, resize_seconds=10))
    step = await_steps(store, workers=2)
    head.remove_node(second, allow_graceful=False)
    step = await_steps(store, workers=1, after=step)
    add_node()
    await_steps(store, workers=2, after=step)
    code, output = ended(driver)
    assert code == 0, output
    (manifest,) = [each for each in Store.open(str(store)).manifests() if each.address == "train"]
    certificate = manifest.provenance[NAME]
    print("\n".join(certificate_lines(manifest.provenance)))
    assert [group["workers"] for group in certificate["groups"]] == [2, 1, 2]
    assert sum(group["last"] - group["first"] + 1 for group in certificate["groups"]) == 1500
    assert certificate["other_images"] == []
    assert {replay["workers"] for replay in certificate["replays"]} == {1, 2}
    assert max(replay["difference"] for replay in certificate["replays"]) < 1e-5


def test_workers_that_lost_their_node_are_waited_for_within_a_limit_and_the_message_says_what_is_free(
    add_node, head, start, training, tmp_path: Path
):
    add_node()
    second = add_node()
    code, output = ended(start(replace(training, workers=1, cpus_per_worker=2)))
    assert code == 2
    assert "asks for 1 x {2 CPU}, but there is room for 0: each worker must fit on one node" in output
    driver = start(slow_training(training, wait_seconds=5))
    await_steps(tmp_path / "store", workers=2)
    head.remove_node(second, allow_graceful=False)
    code, output = ended(driver)
    assert code == 2, output
    assert "waiting for 2 x {1 CPU}; free: 1 CPU, 0 GPU on" in output
    assert "The nodes have room for 1 workers, and none came back within 5 s" in output


def test_gpus_that_are_only_declared_train_on_the_cpu(add_node, start, training):
    add_node(num_cpus=2, num_gpus=2)
    code, output = ended(start(replace(training, workers=2, use_gpu=True)))
    assert code == 0, output
