"""Validation of kept checkpoints, one task for each.

Tested in tests/stages/evaluation/test_validate.py.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pipeline.errors import PipelineError
from pipeline.stage import Context, Resources
from pipeline.store.record import SUMMARY
from ssd_core.data.shards import ShardSet
from ssd_core.metrics.voc_ap import ILSVRC_TOLERANCE
from stages.detection.shares import Share, detect_share
from stages.evaluation import coco_evaluation, voc_evaluation
from stages.evaluation.protocol import Protocol
from stages.evaluation.validate import CURVE_NAME
from stages.training.train import kept_weights

if TYPE_CHECKING:
    from stages.evaluation.validate import Validate


def validate(stage: Validate, ctx: Context) -> None:
    """Record the curve and write its best point; of equal ones the first."""
    if not stage.iterations:
        raise PipelineError(f"{stage.address}: the training keeps no checkpoints to validate; set keep_every")
    shares = _shares(stage, ctx)
    found = ctx.map(
        partial(_mean_ap, stage.protocol), shares, resources=Resources(cpus=1, gpus=1 if stage.use_gpu else 0)
    )
    points = dict(zip(stage.iterations, found, strict=True))
    for step, value in points.items():
        ctx.record(step, {CURVE_NAME: value})
    best = max(points, key=lambda step: points[step])
    ctx.out.write_json(SUMMARY, {"validation/best_mAP": points[best], "validation/best_step": best})


def _shares(stage: Validate, ctx: Context) -> list[Share]:
    """All images, once for each checkpoint."""
    weights, shards = ctx.input(stage.training), ctx.input(stage.shards)
    images = len(ShardSet(shards.path, shards.filesystem))
    return [
        Share(
            use_gpu=stage.use_gpu,
            weights=weights,
            weights_file=kept_weights(step),
            made_by=stage.training,
            shards=shards,
            start=0,
            stop=images,
            batch_size=stage.batch_size,
        )
        for step in stage.iterations
    ]


def _mean_ap(protocol: Protocol, share: Share) -> float:
    found = detect_share(share)
    match protocol:
        case "coco":
            return coco_evaluation.mean_ap(found, share.shards)
        case "ilsvrc":
            return voc_evaluation.mean_ap_by_area(found, share.shards, pixel_tolerance=ILSVRC_TOLERANCE)
        case "voc":
            return voc_evaluation.mean_ap(found, share.shards)
