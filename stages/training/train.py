"""Train one detector with Ray Train; the result is `weights.pt`, its curves and the kept checkpoints.

The loop is `ssd_core.training.trainer`; Ray Train starts the workers, joins them into a process group and restarts them
when one is lost. They resume from the newest checkpoint in the work folder, as does the same command after a crash.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.stage import Context, Resources, Stage, execution
from ssd_core.spec.recipe import Recipe
from stages.shards.image_list import ListsImages
from stages.shards.trainable import refuse_without_objects
from stages.training.frozen_layers import require_frozen_layers
from stages.training.weight_files import WEIGHTS, kept_weights


@dataclass(frozen=True, kw_only=True)
class Train(Stage):
    """One training."""

    saves_when_stopped = True

    recipe: Recipe
    shards: Stage
    """Shards to train on."""

    initial: Stage | None = None
    """Stage whose `weights.pt` the training starts from; None for random weights (from scratch)."""

    workers: int = execution(1)
    """Number of worker processes: one per GPU, or CPU workers when no GPU is used.

    0 trains in the process of the stage itself, which saves ten seconds or more for starting a worker group; when that
    process is lost, the scheduler retries the stage.
    """

    min_workers: int = execution(0)
    """With how many workers the training starts or continues when fewer than `workers` fit; 0 requires all of them."""

    use_gpu: bool = execution(False)
    cpus_per_worker: float = execution(1)
    loader_processes: int = execution(0)
    """Number of processes per worker that decode and augment ahead of it; 0 does so in the worker itself."""

    checkpoint_steps: int = execution(2000)
    checkpoint_seconds: float = execution(300.0)
    log_steps: int = execution(20)
    worker_failures: int = execution(3)
    """How many times lost workers are restarted from the newest checkpoint."""

    wait_seconds: float = execution(600.0)
    """How long a training waits for lost nodes before it fails."""

    resize_seconds: float = execution(30.0)
    """How long room for more workers must last before a training with too few takes them in."""

    @property
    def resources(self) -> Resources:
        return self._wanted()

    def _wanted(self) -> Resources:
        """Of all workers together; `run` must not read what only describes a stage."""
        size = max(self.workers, 1)
        cpus, gpus, nested = size * self.cpus_per_worker, size * self.use_gpu, self.workers > 0
        return Resources(cpus=cpus, gpus=gpus, nested=nested, workers=size, least_workers=self.min_workers)

    def external_digest(self) -> str:
        """Empty, since nothing is hashed.

        Raises PipelineError when there is no object to train on, or layers cannot be frozen.
        """
        if self.recipe.frozen_through:
            require_frozen_layers(self.recipe, self.initial)
        if isinstance(self.shards, ListsImages):
            refuse_without_objects(self.shards, difficult=self.recipe.train_difficult)
        return ""

    def tracked_by(self) -> Stage:
        return self

    def data_sets(self) -> Mapping[str, str]:
        return {"shards": "training"}

    def models(self) -> Mapping[str, int]:
        last = self.recipe.schedule.iterations
        every = self.recipe.keep_every or last
        return {kept_weights(step): step for step in range(every, last, every)} | {WEIGHTS: last}

    def parameters(self) -> Mapping[str, str | int | float]:
        from stages.training.parameters import training_parameters

        return training_parameters(self.recipe, self.initial)

    def run(self, ctx: Context) -> None:
        from ssd_core.training.trainer import Pace
        from stages.training.driver import train
        from stages.training.job import WorkerJob
        from stages.training.ray_job import Group

        job = WorkerJob(
            recipe=self.recipe,
            pace=Pace(
                log_steps=self.log_steps,
                checkpoint_steps=self.checkpoint_steps,
                checkpoint_seconds=self.checkpoint_seconds,
            ),
            shards=ctx.input(self.shards),
            initial=ctx.input(self.initial) if self.initial else None,
            work=ctx.work,
            loader_processes=self.loader_processes,
            use_gpu=self.use_gpu,
            threads=max(1, int(self.cpus_per_worker)),
            ctx=ctx,
        )
        group = Group(
            wanted=self._wanted(),
            failures=self.worker_failures,
            wait_seconds=self.wait_seconds,
            resize_seconds=self.resize_seconds,
        )
        train(job, group if self.workers else None, ctx.out)
