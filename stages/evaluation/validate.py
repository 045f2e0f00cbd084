"""Average precision of a training's kept checkpoints on a validation split: a curve that joins those of the training.

The result: `metrics.jsonl` with `validation/mAP` (VOC by 11 points, ILSVRC by area, COCO's AP) at the step of each
checkpoint, and `summary.json` with `validation/best_mAP` and `validation/best_step`. The training does not know of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.stage import Context, Resources, Stage, execution
from stages.evaluation.protocol import Protocol
from stages.training.train import Train

CURVE_NAME = "validation/mAP"


@dataclass(frozen=True, kw_only=True)
class Validate(Stage):
    """Detect with each kept checkpoint, and score."""

    training: Train
    shards: Stage
    protocol: Protocol = "voc"
    iterations: tuple[int, ...]
    """Steps of the checkpoints that the training keeps, rising."""

    workers: int = execution(1)
    use_gpu: bool = execution(False)
    batch_size: int = execution(16)

    @property
    def resources(self) -> Resources:
        return Resources(cpus=self.workers, gpus=self.workers if self.use_gpu else 0, nested=True)

    def tracked_by(self) -> Stage:
        return self.training

    def data_sets(self) -> Mapping[str, str]:
        return {"shards": "validation"}

    def run(self, ctx: Context) -> None:
        from stages.evaluation.validation import validate

        validate(self, ctx)
