"""Placement of stages, depending on the options and the available resources."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from experiments.cli.requests import TrainRequest
from experiments.cli.shared import placing
from pipeline.errors import PipelineError
from pipeline.keys.fingerprint import describe
from pipeline.planning.graph import Graph
from pipeline.ray_backend import session as ray_session
from pipeline.stage import Resources
from stages.placement import Placement
from stages.training.train import Train


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight GPUs and 32 CPUs."""
    monkeypatch.setattr(ray_session, "local_capacity", lambda: Resources(cpus=32, gpus=8))


def test_without_gpus_each_training_of_an_experiment_takes_one_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_session, "local_capacity", lambda: Resources(cpus=2, gpus=0))
    assert placing.place(gpus=None, gpus_per_training=1) == Placement()


@pytest.mark.usefixtures("machine")
def test_the_gpus_of_the_machine_are_used_by_default() -> None:
    assert placing.place(gpus=None, gpus_per_training=2).use_gpu
    assert placing.place(gpus=None, gpus_per_training=2).workers == 2
    assert placing.place_one(gpus=None, cpu_workers=1).workers == 8
    assert not placing.place(gpus=0, gpus_per_training=1).use_gpu


@pytest.mark.usefixtures("machine")
def test_the_cpus_are_shared_among_the_gpus() -> None:
    placed = placing.place_one(gpus=8, cpu_workers=1)
    assert (placed.cpus_per_worker, placed.loader_processes) == (4, 3)  # 32 / 8, one of them for the training itself


@pytest.mark.usefixtures("machine")
def test_one_training_on_cpus_takes_all_of_them() -> None:
    assert placing.place_one(gpus=0, cpu_workers=2).cpus_per_worker == 16


def test_on_a_cluster_the_number_of_gpus_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "head:6379")
    with pytest.raises(PipelineError, match="--gpus N"):
        placing.place(gpus=None, gpus_per_training=1)
    assert placing.place_one(gpus=4, cpu_workers=1).workers == 4


def _training(**options: Any) -> Train:
    """The training that `ssdpipe train ssd-tiny` plans with these options."""
    request = TrainRequest(recipe="ssd-tiny", **options)
    graph = Graph(request.targets(request.placement()))
    return next(node.stage for node in graph.nodes.values() if isinstance(node.stage, Train))


@pytest.mark.usefixtures("machine")
def test_the_least_number_of_gpus_or_workers_reaches_the_training() -> None:
    assert _training(gpus=8, min_gpus=2).resources.at_least() == Resources(
        cpus=8, gpus=2, nested=True, workers=2, least_workers=2
    )
    assert _training(gpus=0, workers=4, min_workers=1).resources.least_workers == 1
    assert _training(gpus=0, workers=4).resources.at_least().workers == 4


@pytest.mark.usefixtures("machine")
def test_a_least_number_above_the_number_of_workers_is_refused() -> None:
    with pytest.raises(PipelineError, match="--min-gpus 4 is more than --gpus 2: ask for at most 2"):
        _training(gpus=2, min_gpus=4)
    with pytest.raises(PipelineError, match="--min-workers 4 is more than --workers 1"):
        _training(gpus=0, min_workers=4)


@pytest.mark.usefixtures("machine")
def test_the_cpus_of_a_worker_can_be_chosen() -> None:
    assert _training(gpus=8, cpus_per_worker=2).resources.worker == Resources(cpus=2, gpus=1)
    placed = placing.place(gpus=8, gpus_per_training=2, cpus_per_worker=3)
    assert (placed.cpus_per_worker, placed.loader_processes) == (3, 2)


@pytest.mark.usefixtures("machine")
def test_in_process_a_training_on_cpus_has_no_workers_and_its_key_stays() -> None:
    alone, with_worker = _training(gpus=0, in_process=True), _training(gpus=0)
    assert (alone.workers, alone.resources) == (0, replace(with_worker.resources, nested=False))
    assert describe(alone).config == describe(with_worker).config
    assert _training(gpus=8, in_process=True) == _training(gpus=8), "no effect with GPUs"
    assert placing.place(gpus=0, gpus_per_training=1, in_process=True).workers == 0
    with pytest.raises(PipelineError, match="--in-process trains on one worker: leave out --workers 4"):
        _training(gpus=0, workers=4, in_process=True)


def test_the_wait_for_lost_nodes_is_a_number_of_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSDPIPE_WAIT_SECONDS", "90")
    assert _training(gpus=0).wait_seconds == 90
    monkeypatch.setenv("SSDPIPE_WAIT_SECONDS", "soon")
    with pytest.raises(PipelineError, match="SSDPIPE_WAIT_SECONDS=soon is not a number of seconds"):
        _training(gpus=0)
