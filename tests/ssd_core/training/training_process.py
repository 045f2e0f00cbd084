"""One worker of a training: as a function, and as a process that joins others through gloo.

    python training_process.py ARGUMENTS RANK SIZE

ARGUMENTS is a pickle of what `train` takes; the result is pickled beside it as ARGUMENTS.RANK.
"""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from ssd_core.data.shards import ShardSet
from ssd_core.data.training_stream import Batch, training_batches
from ssd_core.spec.recipe import Recipe
from ssd_core.training import trainer as trainer_module
from ssd_core.training.checkpoint import CheckpointFolder
from ssd_core.training.trainer import Pace, Trainer
from ssd_core.training.world import World
from ssd_core.weights.initial import initial_detector


class StoppedError(Exception):
    """The training was stopped from outside."""


@dataclass
class Recorder:
    """Keeps what a training reports."""

    points: dict[int, dict[str, float]] = field(default_factory=dict)
    reported: list[tuple[int, int]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def point(self, step: int, values: Mapping[str, float]) -> None:
        self.points[step] = dict(values)

    def progress(self, step: int, total: int, note: str) -> None:
        self.reported.append((step, total))
        self.notes.append(note)


def train(
    recipe: Recipe,
    shards: str,
    folder: str,
    *,
    pace: Mapping[str, Any] | None = None,
    stop_before: int | None = None,
    loader_processes: int = 0,
    world: World | None = None,
    listener: Recorder | None = None,
    distorting_rank: int | None = None,
) -> dict[str, Any]:
    """Return losses by step, image ids by step and the final state; raise StoppedError before step `stop_before`.

    With `distorting_rank` networks are not compiled, and the gradients of the "compiled" one are wrong on this worker.
    """
    world, listener = world or World(), listener or Recorder()
    if distorting_rank is not None:
        vars(trainer_module)["compiled"] = partial(_not_compiled, factor=2 if world.rank == distorting_rank else 1)
    trainer = Trainer(
        recipe,
        initial_detector(recipe.spec, recipe.seed),
        world=world,
        checkpoints=CheckpointFolder(path=folder, every=recipe.keep_every),
        listener=listener,
        pace=Pace(**({"log_steps": 1} | dict(pace or {}))),
    )
    started, images = trainer.step, {}

    def watched(batches: Iterator[Batch]) -> Iterator[Batch]:
        for step, batch in enumerate(batches, started):
            if step == stop_before:
                raise StoppedError
            images[step] = batch.image_ids
            yield batch

    batches = training_batches(
        ShardSet(shards), recipe, start=started, rank=world.rank, world=world.size, loader_processes=loader_processes
    )
    detector = trainer.run(watched(batches))
    return {
        "started": started,
        "losses": {step: values["loss"] for step, values in listener.points.items()},
        "images": images,
        "compiled": trainer.is_compiled,
        "state": {name: tensor.clone() for name, tensor in detector.state_dict().items()},
    }


def _not_compiled(network: nn.Module, *, factor: float) -> Any:
    def called(images: Tensor) -> tuple[Tensor, Tensor]:
        locations, logits = network(images)
        if logits.requires_grad:
            logits.register_hook(lambda gradient: gradient * factor)
        return locations, logits

    return called


def main(arguments: str, rank: int, size: int) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{arguments}.group", rank=rank, world_size=size)
    try:
        result: Any = train(**pickle.loads(Path(arguments).read_bytes()), world=World(rank=rank, size=size))
    except (StoppedError, ValueError) as error:
        result = {"error": f"{type(error).__name__}: {error}"}
    Path(f"{arguments}.{rank}").write_bytes(pickle.dumps(result))
    dist.barrier()  # the other may still be reading from this one
    # a gloo thread that requests the interpreter during shutdown occasionally aborts the process: exit without shutdown
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
