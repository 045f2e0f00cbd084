"""Run a detector over shards; the result is one Parquet file of detections, in the order of the images.

Boxes are not clipped unless the limits request it.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.stage import Context, Resources, Stage, execution
from ssd_core.detection.limits import PAPER_LIMITS, DetectionLimits
from stages.shards.unseen import OnUnseenImages
from stages.training.weight_files import WEIGHTS


@dataclass(frozen=True, kw_only=True)
class Detect(OnUnseenImages):
    """Detections of one detector on one set of shards."""

    weights: Stage
    """Stage whose result holds the weights."""

    weights_file: str = WEIGHTS
    limits: DetectionLimits = PAPER_LIMITS
    workers: int = execution(1)
    use_gpu: bool = execution(False)
    batch_size: int = execution(16)

    @property
    def resources(self) -> Resources:
        gpus = self.workers if self.use_gpu else 0
        return Resources(cpus=self.workers, gpus=gpus, nested=True, workers=self.workers, least_workers=1)

    def made_by(self) -> Stage:
        return self.weights

    def run(self, ctx: Context) -> None:
        from stages.detection.shares import Share, detect_shards

        self.refuse_trained_images(ctx)
        whole = Share(
            weights=ctx.input(self.weights),
            weights_file=self.weights_file,
            made_by=self.weights,
            shards=ctx.input(self.shards),
            limits=self.limits,
            use_gpu=self.use_gpu,
            batch_size=self.batch_size,
        )
        detect_shards(whole, ctx, workers=self.workers)
