"""The work of a training stage around its loop: check the inputs, run one or more workers, write the result.

Tested in tests/stages/training/test_train.py.
"""

from __future__ import annotations

from pipeline.errors import Interrupted, PipelineError
from pipeline.folder import Folder
from ssd_core.weights.weights import Weights, save_weights
from stages.shards.class_check import require_classes
from stages.shards.trainable import require_objects
from stages.training.ray_job import Group, run_group
from stages.training.weight_files import WEIGHTS, kept_weights
from stages.training.worker import WorkerJob, run_worker


def train(job: WorkerJob, group: Group | None, out: Folder) -> None:
    """Run the training to completion, in this process if there is no group, and write the result.

    Raises PipelineError for errors that the user can fix, and Interrupted when it stopped at a checkpoint on request.
    """
    require_classes(job.shard_set(), job.recipe.spec)
    require_objects(job.shard_set(), difficult=job.recipe.train_difficult)
    if job.checkpoints().newest_step() < job.recipe.schedule.iterations:
        try:
            run_group(job, group) if group else run_worker(job)
        except ValueError as error:
            raise PipelineError(str(error)) from error
        if (step := job.checkpoints().newest_step()) < job.recipe.schedule.iterations:
            raise Interrupted(f"stopped at step {step}, which is saved")
    _write_result(job, out)


def _write_result(job: WorkerJob, out: Folder) -> None:
    checkpoints, last = job.checkpoints(), job.recipe.schedule.iterations
    every = job.recipe.keep_every or last + 1
    names = {WEIGHTS: last} | {kept_weights(step): step for step in range(every, last + 1, every)}
    spec = job.initial_detector().spec
    for name, step in names.items():
        with out.open_output(name) as stream:
            save_weights(Weights(spec=spec, state=checkpoints.read(step)["model"]), stream)
