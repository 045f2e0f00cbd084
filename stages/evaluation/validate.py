"""Average precision of a training's kept checkpoints on a validation split: a curve beside those of the training.

The result: `metrics.jsonl` with `validation/mAP` (VOC by 11 points, ILSVRC by area, COCO's AP) at the step of each
checkpoint, and `summary.json` with `validation/best_mAP` and `validation/best_step`. The training does not depend on
it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.errors import PipelineError
from pipeline.stage import Context, Resources, Stage, execution
from ssd_core.detection.limits import PAPER_LIMITS, DetectionLimits
from stages.evaluation.protocol import Protocol
from stages.shards.unseen import OnUnseenImages
from stages.training.weight_files import kept_weights


@dataclass(frozen=True, kw_only=True)
class Validate(OnUnseenImages):
    """Detect with each kept checkpoint and score the detections."""

    training: Stage
    protocol: Protocol = "voc"
    limits: DetectionLimits = PAPER_LIMITS
    iterations: tuple[int, ...]
    """Steps of the checkpoints that the training keeps, ascending."""

    workers: int = execution(1)
    use_gpu: bool = execution(False)
    batch_size: int = execution(16)

    @property
    def resources(self) -> Resources:
        gpus = self.workers if self.use_gpu else 0
        return Resources(cpus=self.workers, gpus=gpus, nested=True, workers=self.workers, least_workers=1)

    def made_by(self) -> Stage:
        return self.training

    def remedy(self) -> str:
        return "Name other splits with --validation-split and --train-split, or allow it with --allow-trained-images."

    def tracked_by(self) -> Stage:
        return self.training

    def data_sets(self) -> Mapping[str, str]:
        return {"shards": "validation"}

    def run(self, ctx: Context) -> None:
        from stages.detection.shares import Share
        from stages.evaluation.validation import validate

        if not self.iterations:
            raise PipelineError(f"{self.address}: the training keeps no checkpoints to validate; set keep_every")
        self.refuse_trained_images(ctx)
        weights, shards = ctx.input(self.training), ctx.input(self.shards)
        detections = {
            step: Share(
                weights=weights,
                weights_file=kept_weights(step),
                made_by=self.training,
                shards=shards,
                limits=self.limits,
                use_gpu=self.use_gpu,
                batch_size=self.batch_size,
            )
            for step in self.iterations
        }
        validate(detections, self.protocol, ctx)
