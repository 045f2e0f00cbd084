"""One worker of a training, independent of Ray: build the detector, resume from the newest checkpoint, train.

Tested in tests/stages/training/test_train.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch

from pipeline.stage import Context
from ssd_core.data.training_stream import training_batches
from ssd_core.training.trainer import Trainer
from ssd_core.training.world import World
from stages.training.elastic.history import History, Recorder
from stages.training.elastic.pause import Pausing
from stages.training.elastic.replay import replay_change
from stages.training.job import WorkerJob


@dataclass(frozen=True)
class _ContextListener:
    ctx: Context

    def point(self, step: int, values: Mapping[str, float]) -> None:
        self.ctx.record(step, values)

    def progress(self, step: int, total: int, note: str) -> None:
        self.ctx.progress(step, total, note)


def run_worker(job: WorkerJob, *, rank: int = 0, size: int = 1, device: torch.device | None = None) -> None:
    """Train as worker `rank` of `size`, to completion or to a checkpoint after `Context.stop_requested`.

    The device is by default the first GPU if the job uses GPUs.
    """
    world = World(rank=rank, size=size, device=_prepared(device or _first_device(job)))
    detector = job.initial_detector()
    recipe = replace(job.recipe, spec=detector.spec)  # with the preprocessing of the initial weights
    history, refused = History.at(job.work), False
    if world.is_first:  # the others wait for the first step of the trainer
        step = job.checkpoints().newest_step()
        history.rewind(step)
        refused = any(each.refusal for each in history.compilations())
        if before := history.of_another_size(step, workers=size):
            with threads(job.threads):  # as many as the training has: sums are rounded in the same order
                replay_change(job, recipe, before, world.device)
    record = Recorder(history, workers=size)
    trainer = Trainer(
        recipe,
        detector,
        world=world,
        checkpoints=job.checkpoints(),
        listener=_ContextListener(job.ctx),
        pace=job.pace,
        stop_requested=Pausing(job.work, job.ctx.stop_requested),
        record=record,
        refused=refused,
    )
    record.first = trainer.step + 1
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
    with threads(job.threads):
        trainer.run(batches)


def _first_device(job: WorkerJob) -> torch.device:
    return torch.device("cuda", 0) if job.use_gpu and torch.cuda.is_available() else torch.device("cpu")


def _prepared(device: torch.device) -> torch.device:
    if device.type == "cuda":
        torch.cuda.set_device(device)
        torch.backends.cudnn.benchmark = True  # every batch has the same shape
    return device


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Let torch compute with so many threads on a CPU."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
