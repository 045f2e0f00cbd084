"""One worker of a training, independent of Ray: build the detector, resume from the newest checkpoint, train.

Tested in tests/stages/training/test_train.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch

from pipeline.folder import Folder
from pipeline.stage import Context
from ssd_core.data.shards import ShardSet
from ssd_core.data.training_stream import training_batches
from ssd_core.network.model import Detector
from ssd_core.spec.recipe import Recipe
from ssd_core.training.checkpoint import CheckpointFolder
from ssd_core.training.trainer import Pace, Trainer
from ssd_core.training.world import World
from ssd_core.weights.initial import initial_detector
from stages.training.weight_files import stored_weights

CHECKPOINTS = "checkpoints"


@dataclass(frozen=True, kw_only=True)
class WorkerJob:
    """The job that is sent to every worker."""

    recipe: Recipe
    pace: Pace
    shards: Folder
    initial: Folder | None
    work: Folder
    loader_processes: int
    use_gpu: bool
    threads: int
    """Number of CPU threads of the arithmetic; the bits of the result depend on it."""

    ctx: Context

    def checkpoints(self) -> CheckpointFolder:
        folder = self.work / CHECKPOINTS
        return CheckpointFolder(path=folder.path, filesystem=folder.filesystem, every=self.recipe.keep_every)

    def shard_set(self) -> ShardSet:
        return ShardSet(self.shards.path, self.shards.filesystem)

    def initial_detector(self) -> Detector:
        if self.initial is None:
            return initial_detector(self.recipe.spec, self.recipe.seed)
        return initial_detector(self.recipe.spec, self.recipe.seed, stored_weights(self.initial))


@dataclass(frozen=True)
class _ContextListener:
    ctx: Context

    def point(self, step: int, values: Mapping[str, float]) -> None:
        self.ctx.record(step, values)

    def progress(self, step: int, total: int, note: str) -> None:
        self.ctx.progress(step, total, note)


def run_worker(job: WorkerJob, *, rank: int = 0, size: int = 1, local_rank: int = 0) -> None:
    """Train as worker `rank` of `size`, to completion or to a checkpoint after `Context.stop_requested`."""
    world = World(rank=rank, size=size, device=_device(job, local_rank))
    detector = job.initial_detector()
    recipe = replace(job.recipe, spec=detector.spec)  # with the preprocessing of the initial weights
    trainer = Trainer(
        recipe,
        detector,
        world=world,
        checkpoints=job.checkpoints(),
        listener=_ContextListener(job.ctx),
        pace=job.pace,
        stop_requested=job.ctx.stop_requested,
    )
    batches = training_batches(
        job.shard_set(),
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
    if not (job.use_gpu and torch.cuda.is_available()):  # tests of a cluster may declare GPUs that do not exist
        return torch.device("cpu")
    device = torch.device("cuda", local_rank)
    torch.cuda.set_device(device)
    torch.backends.cudnn.benchmark = True  # every batch has the same shape
    return device


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
