"""Run a detector over shards; the result is one Parquet file of detections, in the order of the images.

Boxes are unclipped unless the limits say otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.stage import Context, Resources, Stage, execution
from ssd_core.detection.limits import PAPER_LIMITS, DetectionLimits
from stages.training.weight_files import WEIGHTS


@dataclass(frozen=True, kw_only=True)
class Detect(Stage):
    """Detections of one set of weights on one set of shards."""

    weights: Stage
    """Stage whose result holds the weights."""

    weights_file: str = WEIGHTS
    shards: Stage
    trained_on: tuple[Stage, ...] = ()
    """Shards that the weights have seen. Images that are among them are refused."""

    allow_trained_images: bool = False
    """Do not refuse: the numbers will not tell how well the detector does on new images."""

    limits: DetectionLimits = PAPER_LIMITS
    workers: int = execution(1)
    use_gpu: bool = execution(False)
    batch_size: int = execution(16)

    @property
    def resources(self) -> Resources:
        return Resources(cpus=self.workers, gpus=self.workers if self.use_gpu else 0, nested=True)

    def prepare(self) -> None:
        from stages.shards.overlap import refuse_shared_lists

        if not self.allow_trained_images:
            refuse_shared_lists(self.shards, self.trained_on)

    def run(self, ctx: Context) -> None:
        from stages.detection.shares import Share, detect_shards
        from stages.shards.overlap import refuse_shared_shards

        shards = ctx.input(self.shards)
        if not self.allow_trained_images:
            refuse_shared_shards(shards, [ctx.input(seen) for seen in self.trained_on])
        whole = Share(
            weights=ctx.input(self.weights),
            weights_file=self.weights_file,
            made_by=self.weights,
            shards=shards,
            limits=self.limits,
            use_gpu=self.use_gpu,
            batch_size=self.batch_size,
        )
        detect_shards(whole, ctx, workers=self.workers)
