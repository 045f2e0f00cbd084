"""A training in parts, each of which continues the one before it from its last checkpoint.

The result of a part holds its weights and, unless it is the last, that checkpoint: the whole state of the training. The
weights of the last part are bit for bit those of the training in one piece.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from pipeline.folder import Folder
from pipeline.stage import Context, Stage
from stages.training.train import Train

STATE = "state.pt"


@dataclass(frozen=True, kw_only=True)
class TrainPart(Train):
    """A training up to an iteration, with the learning rates of its whole schedule."""

    kind: ClassVar[str] = "train"

    until: int
    """Iteration at which this part ends."""

    after: TrainPart | None = None
    """The part before this one; None for the first."""

    def tracked_by(self) -> Stage:
        return self.after.tracked_by() if self.after else self

    def models(self) -> Mapping[str, int]:
        from stages.training.weight_files import WEIGHTS

        return {WEIGHTS: self.until}

    def run(self, ctx: Context) -> None:
        from ssd_core.spec.first_part import FirstPart
        from ssd_core.training.checkpoint import CheckpointFolder
        from stages.training.job import CHECKPOINTS

        folder = ctx.work / CHECKPOINTS
        if self.after and not CheckpointFolder(path=folder.path, filesystem=folder.filesystem).newest_step():
            _copy(ctx.input(self.after), STATE, folder, _checkpoint(self.after.until))
        whole = self.recipe.schedule
        part = FirstPart(**{**vars(whole), "iterations": self.until}, whole=whole)
        Train.run(replace(self, recipe=replace(self.recipe, schedule=part)), ctx)
        if self.until < whole.iterations:
            _copy(folder, _checkpoint(self.until), ctx.out, STATE)


def _checkpoint(step: int) -> str:
    return f"step-{step:09d}.pt"


def _copy(source: Folder, name: str, target: Folder, new_name: str) -> None:
    """Copy a checkpoint; a kill leaves half a file at most, which its checksums tell from a whole one."""
    with source.open_input(name) as stream, target.open_output(new_name) as out:
        shutil.copyfileobj(stream, out, 2**20)
