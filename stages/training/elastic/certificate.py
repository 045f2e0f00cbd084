"""How a training was spread over workers, and the evidence that a change of their number left it the same training.

The number of workers changes the rounding of sums, so such weights are not bit for bit those of a fixed number. What is
the same: the images of every step, and, from the same state, the loss up to rounding.

Tested in tests/stages/training/elastic/test_certificate.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

from ssd_core.data.batch_digest import expected_digest
from ssd_core.data.order import RowOrder
from stages.training.elastic.history import History, Replay, Steps
from stages.training.job import WorkerJob

TOLERANCE = 1e-5
"""Largest relative difference of two losses that counts as rounding."""


def certify(job: WorkerJob) -> dict[str, Any]:
    """The certificate of a finished training, as JSON."""
    history = History.at(job.work)
    parts = history.steps()
    groups = list(_groups(parts))
    certificate: dict[str, Any] = {"steps": job.recipe.schedule.iterations, "groups": groups}
    if compilations := history.compilations():
        certificate["compilations"] = [asdict(each) for each in compilations]
    if len({group["workers"] for group in groups}) > 1:
        certificate["other_images"] = _other_images(job, parts)
        certificate["replays"] = [_compared(replay, parts) for replay in history.replays()]
        certificate["tolerance"] = TOLERANCE
    return certificate


def _groups(parts: Sequence[Steps]) -> Iterator[dict[str, int]]:
    for workers, run in groupby(parts, key=lambda part: part.workers):
        listed = list(run)
        yield {"first": listed[0].first, "last": listed[-1].last, "workers": workers}


def _other_images(job: WorkerJob, parts: Sequence[Steps]) -> list[int]:
    """Steps whose images are not those of seed and position."""
    shards = job.shard_set()
    order = RowOrder(shards.group_sizes, seed=job.recipe.seed)
    ids = [image_id for _, image_id in shards.image_ids()]
    return [
        part.first + place
        for part in parts
        for place, digest in enumerate(part.digests)
        if digest != expected_digest(order, ids, step=part.first + place - 1, batch_size=job.recipe.batch_size)
    ]


def _compared(replay: Replay, parts: Sequence[Steps]) -> dict[str, Any]:
    """The steps of a replay, the workers that they ran on, and the largest relative difference of a loss."""
    recorded = {part.first + place: loss for part in parts for place, loss in enumerate(part.losses)}
    workers = next((part.workers for part in parts if part.first <= replay.start + 1 <= part.last), 0)
    pairs = [(loss, recorded[step]) for step, loss in enumerate(replay.losses, replay.start + 1) if step in recorded]
    difference = max((abs(one - other) / max(abs(other), 1e-12) for one, other in pairs), default=None)
    return {"first": replay.start + 1, "steps": len(pairs), "workers": workers, "difference": difference}
