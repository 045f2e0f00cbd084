"""Steps around a change of the number of workers, computed again on one worker.

Before the change: from the checkpoint before the one at which the group changed. After it: from that one. Each side has
up to `REPLAYED_STEPS` steps, whose losses `stages.training.elastic.certificate` compares with those of the groups.

Tested in tests/stages/training/elastic/test_certificate.py.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from ssd_core.data.training_stream import TrainingStream
from ssd_core.spec.recipe import Recipe
from ssd_core.training.checkpoint import CheckpointFolder
from ssd_core.training.compilation import Verdict
from ssd_core.training.trainer import Pace, Trainer
from ssd_core.training.world import World
from stages.training.elastic.history import History, Replay, Steps
from stages.training.job import WorkerJob

REPLAYED_STEPS = 5
_log = logging.getLogger(__name__)


def replay_change(job: WorkerJob, recipe: Recipe, before: Steps, device: torch.device) -> None:
    """Replay steps on both sides of the change that follows the steps `before`."""
    history = History.at(job.work)
    for start, end in ((before.first - 1, before.last), (before.last, recipe.schedule.iterations)):
        if start in job.checkpoints().steps() or start == 0:
            stop = min(start + REPLAYED_STEPS, end)
            history.write(Replay(start=start, losses=_losses(job, recipe, start, stop, device)))


def _losses(job: WorkerJob, recipe: Recipe, start: int, stop: int, device: torch.device) -> tuple[float, ...]:
    """Losses of the steps after `start`; empty if the whole batch is too large for this worker."""
    record = _Losses()
    try:
        with torch.random.fork_rng():
            trainer = Trainer(
                replace(recipe, compiled=False),  # else the whole batch would be compiled for a few steps
                job.initial_detector(),
                world=World(device=device),
                checkpoints=_At(**vars(job.checkpoints()), step=start),
                listener=record,
                pace=Pace(log_steps=1, checkpoint_steps=0, checkpoint_seconds=float("inf")),
                stop_requested=lambda: len(record.losses) == stop - start - 1,
                record=record,
            )
            trainer.run(TrainingStream(job.shard_set(), recipe, start=start, stop=stop))
    except torch.OutOfMemoryError as error:
        _log.warning("the steps after %d are not replayed: %s", start, error)
        return ()
    return tuple(record.losses)


@dataclass(frozen=True, kw_only=True)
class _At(CheckpointFolder):
    """Checkpoints of which the given one is the newest, and to which nothing is added."""

    step: int

    def newest_step(self) -> int:
        return self.step

    def save(self, step: int, model: Any, optimiser: Any, average: Any = None) -> None: ...


@dataclass
class _Losses:
    losses: list[float] = field(default_factory=list)

    def point(self, step: int, values: Mapping[str, float]) -> None: ...
    def progress(self, step: int, total: int, note: str) -> None: ...
    def compilation(self, step: int, verdict: Verdict) -> None: ...
    def saving(self) -> None: ...

    def steps(self, losses: Sequence[float], digests: Sequence[int]) -> None:  # noqa: ARG002 - the protocol
        self.losses += losses
