"""The Ray Train jobs of a training: [1] a group of workers, [2] their ranks, [3] the loss of workers.

Each group continues from the newest checkpoint of the one before it. Ray Train could resize a group by itself, but
would end it between two checkpoints; here a group that is to grow saves one first (`stages.training.elastic`).

Tested in tests/stages/training/test_train.py.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from pipeline.errors import PipelineError
from pipeline.ray_backend.nodes import await_room, request_room
from pipeline.ray_backend.same_code import driver_code
from pipeline.ray_backend.session import cluster
from pipeline.stage import Resources
from pipeline.store.faults import as_store_fault
from stages.training.elastic.pause import withdraw_pause
from stages.training.elastic.resizing import Watch, watched
from stages.training.job import WorkerJob
from stages.training.worker import run_worker

if TYPE_CHECKING:
    from ray.train.torch import TorchTrainer

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Group:
    """The workers of one training."""

    wanted: Resources
    """Resources of all workers, and the least number of workers."""

    failures: int
    """How many times a group is started again after losing workers."""

    wait_seconds: float
    """How long lost nodes are waited for."""

    resize_seconds: float
    """How long room for more workers must last before the group grows."""


def run_group(job: WorkerJob, group: Group) -> None:
    """Run the training to completion, or until the run is stopped, on as many workers as fit.

    An error in data or settings is raised, since it would only recur.
    """
    os.environ.setdefault("RAY_TRAIN_HEALTH_CHECK_INTERVAL_S", "0.5")  # how soon a dead worker is noticed
    from ray.train.v2.api.exceptions import TrainingFailedError

    failures_left = group.failures
    while (step := job.checkpoints().newest_step()) < job.recipe.schedule.iterations and not job.ctx.stop_requested():
        if not (workers := _await_room(job, group, step)):
            return
        withdraw_pause(job.work)
        try:
            with watched(Watch(group.wanted, workers, group.resize_seconds), job.work):
                _trainer(job, group.wanted.with_workers(workers)).fit()
        except TrainingFailedError as error:  # [3]
            if fault := as_store_fault(error, job.work):
                raise fault from error
            if mistake := _mistake(error):
                raise mistake from error
            if _is_for_want_of_room(error):
                continue
            if not failures_left or job.ctx.stop_requested():  # what came after the newest checkpoint is not saved
                raise
            failures_left -= 1
            _log.warning("workers were lost, %d restarts left: %s", failures_left, error)


def _await_room(job: WorkerJob, group: Group, step: int) -> int:
    """Wait until the workers can be placed; return their number, or 0 when the run is stopped meanwhile."""
    if cluster().can_grow:
        request_room(group.wanted)

    def report(message: str) -> None:
        job.ctx.progress(step, job.recipe.schedule.iterations, message)

    return await_room(group.wanted, report, limit=group.wait_seconds, stopped=job.ctx.stop_requested)


def _is_for_want_of_room(error: Exception) -> bool:
    """Whether a node was taken away from the workers, or their room by others: no fault of the workers."""
    from ray.train.v2._internal.exceptions import WorkerGroupStartupTimeoutError
    from ray.train.v2.api.exceptions import PreemptionError

    cause = getattr(error, "controller_failure", None)
    return isinstance(error, PreemptionError) or isinstance(cause, WorkerGroupStartupTimeoutError)


def _mistake(error: Exception) -> Exception | None:
    """The error of a user among the errors of the workers, or of a group that could not start."""
    causes: list[Any] = [*getattr(error, "worker_failures", {}).values(), getattr(error, "controller_failure", None)]
    causes += [getattr(cause, "cause", None) for cause in causes]  # within Ray's error
    return next((cause for cause in causes if isinstance(cause, ValueError | PipelineError)), None)


def _trainer(job: WorkerJob, resources: Resources) -> TorchTrainer:
    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchTrainer

    from stages.training.process_group import ProcessGroup

    runs = job.work / "ray"  # its own state is never read again: see ssd_core.training.checkpoint
    runs.delete()
    return TorchTrainer(  # [1]
        _work,
        train_loop_config={"job": job, "code": driver_code()},
        torch_config=ProcessGroup(use_gpu=job.use_gpu, work=job.work),
        scaling_config=ScalingConfig(
            num_workers=resources.workers,
            use_gpu=job.use_gpu,
            resources_per_worker={"CPU": resources.worker.cpus} | ({"GPU": 1} if job.use_gpu else {}),
        ),
        run_config=RunConfig(
            name=uuid4().hex,
            storage_path=runs.path,
            storage_filesystem=runs.filesystem,
            failure_config=FailureConfig(max_failures=0, controller_failure_limit=0, max_preemption_failures=0),
        ),
    )


def _work(config: dict[str, Any]) -> None:
    """One worker of the group."""
    import torch
    from ray.train import get_context
    from ray.train.torch import get_device

    job, code = config["job"], config["code"]
    if code:
        code.require()
    place = get_context()  # [2]
    sees_gpu = job.use_gpu and torch.cuda.is_available()
    run_worker(
        job,
        rank=place.get_world_rank(),
        size=place.get_world_size(),
        device=get_device() if sees_gpu else torch.device("cpu"),
    )
