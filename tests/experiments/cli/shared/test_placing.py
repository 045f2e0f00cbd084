"""Placement of stages, depending on the options and the available resources."""

from __future__ import annotations

import pytest

from experiments.cli.shared import placing
from pipeline.errors import PipelineError
from pipeline.ray_backend import session as ray_session
from pipeline.stage import Resources
from stages.placement import Placement


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
