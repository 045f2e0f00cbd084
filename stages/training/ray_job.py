"""The Ray Train job of a training: [1] a group of workers, [2] their ranks, [3] the loss of workers.

Tested in tests/stages/training/test_train.py.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from pipeline.store.faults import as_store_fault
from stages.training.worker import WorkerJob, run_worker

if TYPE_CHECKING:
    from ray.train.torch import TorchTrainer

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Group:
    """The workers of one training."""

    workers: int
    cpus_per_worker: float
    failures: int
    """How many times the group is restarted after losing workers."""


def run_group(job: WorkerJob, group: Group) -> None:
    """Run the training to completion. An error in data or settings is raised, since it would only recur."""
    os.environ.setdefault("RAY_TRAIN_HEALTH_CHECK_INTERVAL_S", "0.5")  # how soon a dead worker is noticed
    from ray.train import WorkerGroupError

    for failures_left in reversed(range(group.failures + 1)):
        try:
            _trainer(job, group).fit()
            return
        except WorkerGroupError as error:  # [3]
            if fault := as_store_fault(error, job.work):
                raise fault from error
            for cause in error.worker_failures.values():
                if isinstance(cause, ValueError):
                    raise cause from error
            if not failures_left:
                raise
            _log.warning("workers were lost, %d restarts left: %s", failures_left, error)


def _trainer(job: WorkerJob, group: Group) -> TorchTrainer:
    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchConfig, TorchTrainer

    runs = job.work / "ray"  # its own state is never read again: see ssd_core.training.checkpoint
    runs.delete()
    return TorchTrainer(  # [1]
        _work,
        train_loop_config={"job": job},
        torch_config=TorchConfig(backend="nccl" if job.use_gpu else "gloo"),
        scaling_config=ScalingConfig(
            num_workers=group.workers,
            use_gpu=job.use_gpu,
            resources_per_worker={"CPU": group.cpus_per_worker} | ({"GPU": 1} if job.use_gpu else {}),
        ),
        run_config=RunConfig(
            name=uuid4().hex,
            storage_path=runs.path,
            storage_filesystem=runs.filesystem,
            failure_config=FailureConfig(max_failures=0),
        ),
    )


def _work(config: dict[str, WorkerJob]) -> None:
    """One worker of the group."""
    from ray.train import get_context

    place = get_context()  # [2]
    run_worker(
        config["job"],
        rank=place.get_world_rank(),
        size=place.get_world_size(),
        local_rank=place.get_local_rank(),
    )
