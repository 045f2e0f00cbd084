"""Score detections against the objects of the shards by the COCO protocol (paper, Table 5).

The result: `summary.json` (metrics as fractions, without those that have no object to average over) and
`outcomes.npz` (the outcome of each detection at each of the ten IoU thresholds, for resampling images).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from pipeline.stage import Context, Stage


@dataclass(frozen=True, kw_only=True)
class EvaluateCoco(Stage):
    """The twelve metrics of pycocotools, `coco/AP`, `coco/AP50`, ... `coco/ARl`, and `coco/AP/<class>`."""

    kind: ClassVar[str] = "evaluate-coco"
    detections: Stage
    shards: Stage
    training: Stage | None = None
    """The training whose record these metrics join."""

    def tracked_by(self) -> Stage | None:
        return self.training.tracked_by() if self.training else None

    def data_sets(self) -> Mapping[str, str]:
        return {"shards": "evaluation"}

    def run(self, ctx: Context) -> None:
        from stages.evaluation.coco_evaluation import evaluate_on_shards

        evaluate_on_shards(ctx.input(self.detections), ctx.input(self.shards), ctx.out)
