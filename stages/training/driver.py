"""The work of a training stage around its loop: check the inputs, run one or more workers, write the result.

Tested in tests/stages/training/test_train.py.
"""

from __future__ import annotations

from pipeline.errors import Interrupted, PipelineError
from pipeline.folder import Folder
from ssd_core.weights.weights import Weights, save_weights
from stages.shards.class_check import require_classes
from stages.shards.trainable import require_objects
from stages.training.elastic.certificate import certify
from stages.training.elastic.certificate_text import NAME
from stages.training.elastic.pause import withdraw_pause
from stages.training.job import WorkerJob
from stages.training.ray_job import Group, run_group
from stages.training.weight_files import WEIGHTS, kept_weights
from stages.training.worker import run_worker


def train(job: WorkerJob, group: Group | None, out: Folder) -> None:
    """Run the training to completion, in this process if there is no group, and write the result.

    Raises PipelineError for errors that the user can fix, and Interrupted when it stopped at a checkpoint on request.
    """
    require_classes(job.shard_set(), job.recipe.spec)
    require_objects(job.shard_set(), difficult=job.recipe.train_difficult)
    _require_constant_workers(job, group)
    withdraw_pause(job.work)
    if job.checkpoints().newest_step() < job.recipe.schedule.iterations:
        try:
            run_group(job, group) if group else run_worker(job)
        except ValueError as error:
            raise PipelineError(str(error)) from error
        if (step := job.checkpoints().newest_step()) < job.recipe.schedule.iterations:
            raise Interrupted(f"stopped at step {step}, which is saved" if step else "stopped before its first step")
    job.ctx.note(NAME, certify(job))
    _write_result(job, out)


def _require_constant_workers(job: WorkerJob, group: Group | None) -> None:
    """Raise PipelineError if the number of workers may change, although the loss depends on it."""
    if group and group.wanted.at_least().workers < group.wanted.workers and job.recipe.normaliser == "local":
        raise PipelineError(
            f"the local normaliser of this recipe is defined for {job.recipe.local_workers} workers, so their number "
            "cannot change: leave out --min-gpus and --min-workers, or use the global normaliser"
        )


def _write_result(job: WorkerJob, out: Folder) -> None:
    checkpoints, last = job.checkpoints(), job.recipe.schedule.iterations
    every = job.recipe.keep_every or last + 1
    names = {WEIGHTS: last} | {kept_weights(step): step for step in range(every, last + 1, every)}
    spec = job.initial_detector().spec
    for name, step in names.items():
        with out.open_output(name) as stream:
            save_weights(Weights(spec=spec, state=checkpoints.weights(step)), stream)
