"""The job that is sent to every worker of a training.

Tested in tests/stages/training/test_train.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.folder import Folder
from pipeline.stage import Context
from ssd_core.data.shards import ShardSet
from ssd_core.network.model import Detector
from ssd_core.spec.recipe import Recipe
from ssd_core.training.checkpoint import CheckpointFolder
from ssd_core.training.trainer import Pace
from ssd_core.weights.initial import initial_detector
from stages.training.weight_files import stored_weights

CHECKPOINTS = "checkpoints"


@dataclass(frozen=True, kw_only=True)
class WorkerJob:
    """Everything that a worker needs; picklable."""

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
        return CheckpointFolder(
            path=folder.path, filesystem=folder.filesystem, every=self.recipe.keep_every, delete=folder.delete_file
        )

    def shard_set(self) -> ShardSet:
        return ShardSet(self.shards.path, self.shards.filesystem)

    def initial_detector(self) -> Detector:
        if self.initial is None:
            return initial_detector(self.recipe.spec, self.recipe.seed)
        return initial_detector(self.recipe.spec, self.recipe.seed, stored_weights(self.initial))
