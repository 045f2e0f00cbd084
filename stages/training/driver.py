"""What a training stage does around its loop: gather the inputs, run one or many workers, write the result.

Tested in tests/stages/training/test_train.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from pipeline.errors import PipelineError
from pipeline.folder import Folder
from ssd_core.data.shards import ShardSet
from ssd_core.data.training_stream import training_batches
from ssd_core.network.model import Detector
from ssd_core.spec.recipe import Recipe
from ssd_core.training.checkpoint import CheckpointFolder
from ssd_core.training.trainer import Pace, Trainer
from ssd_core.training.world import World
from ssd_core.weights.initial import first_detector
from ssd_core.weights.weights import Weights, load_weights, save_weights
from stages.shards.class_check import require_classes
from stages.training.train import WEIGHTS, kept_weights

if TYPE_CHECKING:
    from pipeline.stage import Context
    from stages.training.train import Train

CHECKPOINTS = "checkpoints"


@dataclass(frozen=True, kw_only=True)
class WorkerJob:
    """What every worker is sent."""

    recipe: Recipe
    pace: Pace
    shards: Folder
    initial: Folder | None
    work: Folder
    loader_processes: int
    use_gpu: bool
    threads: int
    """Of the arithmetic on a CPU; the bits of the result depend on it."""

    ctx: Context

    def checkpoints(self) -> CheckpointFolder:
        folder = self.work / CHECKPOINTS
        return CheckpointFolder(path=folder.path, filesystem=folder.filesystem, every=self.recipe.keep_every)

    def first_detector(self) -> Detector:
        if self.initial is None:
            return first_detector(self.recipe.spec, self.recipe.seed)
        with self.initial.open_input(WEIGHTS) as stream:
            return first_detector(self.recipe.spec, self.recipe.seed, load_weights(stream))


@dataclass(frozen=True)
class _ContextListener:
    ctx: Context

    def point(self, step: int, values: Mapping[str, float]) -> None:
        self.ctx.record(step, values)

    def progress(self, step: int, total: int, note: str) -> None:
        self.ctx.progress(step, total, note)


def train(stage: Train, ctx: Context) -> None:
    """Run the training to its end and write the result; raises PipelineError for what the user can mend."""
    job = _job(stage, ctx)
    if job.checkpoints().newest_step() < job.recipe.schedule.iterations:
        try:
            _run(stage, job)
        except ValueError as error:
            raise PipelineError(str(error)) from error
    _write_result(job, ctx)


def _job(stage: Train, ctx: Context) -> WorkerJob:
    recipe = stage.recipe
    shards = ctx.input(stage.shards)
    require_classes(ShardSet(shards.path, shards.filesystem), recipe.spec)
    return WorkerJob(
        recipe=recipe,
        pace=Pace(
            log_steps=stage.log_steps,
            checkpoint_steps=stage.checkpoint_steps,
            checkpoint_seconds=stage.checkpoint_seconds,
        ),
        shards=shards,
        initial=ctx.input(stage.initial) if stage.initial else None,
        work=ctx.work,
        loader_processes=stage.loader_processes,
        use_gpu=stage.use_gpu,
        threads=max(1, int(stage.cpus_per_worker)),
        ctx=ctx,
    )


def _run(stage: Train, job: WorkerJob) -> None:
    if stage.workers:
        from stages.training.ray_job import run_group

        run_group(stage, job)
    else:
        run_worker(job)


def run_worker(job: WorkerJob, *, rank: int = 0, size: int = 1, local_rank: int = 0) -> None:
    """The part of one worker, without a word of Ray: build, restore, train."""
    world = World(rank=rank, size=size, device=_device(job, local_rank))
    detector = job.first_detector()
    recipe = replace(job.recipe, spec=detector.spec)  # its preprocessing is that of the initial weights
    trainer = Trainer(
        recipe,
        detector,
        world=world,
        checkpoints=job.checkpoints(),
        listener=_ContextListener(job.ctx),
        pace=job.pace,
    )
    batches = training_batches(
        ShardSet(job.shards.path, job.shards.filesystem),
        recipe,
        start=trainer.step,
        stop=recipe.schedule.iterations,
        rank=rank,
        world=size,
        loader_processes=job.loader_processes,
        pin_memory=world.device.type == "cuda",
    )
    with _threads(job.threads):
        trainer.run(batches)


def _device(job: WorkerJob, local_rank: int) -> torch.device:
    if not (job.use_gpu and torch.cuda.is_available()):  # GPUs may be only declared, where a cluster is tested
        return torch.device("cpu")
    device = torch.device("cuda", local_rank)
    torch.cuda.set_device(device)
    return device


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _write_result(job: WorkerJob, ctx: Context) -> None:
    checkpoints, last = job.checkpoints(), job.recipe.schedule.iterations
    every = job.recipe.keep_every or last + 1
    names = {WEIGHTS: last} | {kept_weights(step): step for step in range(every, last + 1, every)}
    spec = job.first_detector().spec
    for name, step in names.items():
        with ctx.out.open_output(name) as stream:
            save_weights(Weights(spec=spec, state=checkpoints.read(step)["model"]), stream)
