"""Validation of kept checkpoints, one task per checkpoint.

Tested in tests/stages/evaluation/test_validate.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from pipeline.stage import Context, Resources
from pipeline.store.record import SUMMARY
from ssd_core.metrics.voc_ap import ILSVRC_TOLERANCE
from stages.detection.shares import Share, detect_share
from stages.evaluation import coco_evaluation, voc_evaluation
from stages.evaluation.protocol import CURVE_NAME, Protocol


def validate(checkpoints: Mapping[int, Share], protocol: Protocol, ctx: Context) -> None:
    """Record the curve over the steps and write its best point; the first one on a tie."""
    shares = list(checkpoints.values())
    gpus = 1 if any(share.use_gpu for share in shares) else 0
    scores = ctx.map(partial(_mean_ap, protocol), shares, resources=Resources(cpus=1, gpus=gpus))
    points = dict(zip(checkpoints, scores, strict=True))
    for step, value in points.items():
        ctx.record(step, {CURVE_NAME: value})
    best = max(points, key=lambda step: points[step])
    ctx.out.write_json(SUMMARY, {"validation/best_mAP": points[best], "validation/best_step": best})


def _mean_ap(protocol: Protocol, share: Share) -> float:
    detections = detect_share(share)
    match protocol:
        case "coco":
            return coco_evaluation.mean_ap(detections, share.shards)
        case "ilsvrc":
            return voc_evaluation.mean_ap_by_area(detections, share.shards, pixel_tolerance=ILSVRC_TOLERANCE)
        case "voc":
            return voc_evaluation.mean_ap(detections, share.shards)
