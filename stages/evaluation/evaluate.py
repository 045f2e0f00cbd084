"""Score detections against the objects of the shards by the VOC protocol.

The result: `summary.json` (metrics as fractions) and `outcomes.npz` (the outcome of each detection, for resampling).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.stage import Context, Stage


@dataclass(frozen=True, kw_only=True)
class Evaluate(Stage):
    """Average precision per class and its mean: `voc07/mAP` (11 points), `voc12/mAP` (area), `voc07/AP/<class>`.

    With a tolerance: `ilsvrc/mAP` (area) and `ilsvrc/AP/<class>`.
    """

    detections: Stage
    shards: Stage
    training: Stage | None = None
    """The training whose record these metrics join."""

    pixel_tolerance: float = 0.0
    """Localisation tolerance for small objects: 10 in ILSVRC (`ssd_core.metrics.voc_ap.ILSVRC_TOLERANCE`), 0 in VOC."""

    def tracked_by(self) -> Stage | None:
        return self.training.tracked_by() if self.training else None

    def data_sets(self) -> Mapping[str, str]:
        return {"shards": "evaluation"}

    def run(self, ctx: Context) -> None:
        from stages.evaluation.voc_evaluation import evaluate_on_shards

        detections, shards = ctx.input(self.detections), ctx.input(self.shards)
        evaluate_on_shards(detections, shards, ctx.out, pixel_tolerance=self.pixel_tolerance)
