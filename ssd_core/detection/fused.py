"""The suppression in fixed shapes with the kernels of kernels.py: equal detections by a third of the operators.

Tested in tests/ssd_core/detection/test_fused.py.
"""

from __future__ import annotations

import logging
from functools import cache
from importlib.util import find_spec

import torch
from jaxtyping import Float
from torch import Tensor

from ssd_core.detection.limits import DetectionLimits
from ssd_core.detection.packing import Packed, pack
from ssd_core.detection.static_suppression import (
    candidate_count,
    class_scores,
    decoded,
    static_detections,
)

MOST_CANDIDATES = 1024
"""Most candidates of an image: the comparisons of one, as bits, are held in registers."""

PAIRS = 4096
"""Number of pairs that a program of the kernels compares."""

_log = logging.getLogger(__name__)
_failures: list[str] = []
"""Why the kernels could not be compiled in this process."""


def packed_detections(
    locations: Float[Tensor, "B K 4"],
    logits: Float[Tensor, "B K C"],
    default_boxes_cxcywh: Float[Tensor, "K 4"],
    variances: tuple[float, float],
    limits: DetectionLimits,
) -> Packed:
    """Return the detections among the best candidates of each image: by the kernels, or where these fail by torch."""
    precision = torch.promote_types(logits.dtype, torch.float32)
    locations, logits = locations.to(precision), logits.to(precision)
    predictions = locations, logits, default_boxes_cxcywh, variances, limits
    if not unsupported_reason(logits, limits):
        try:
            return fused_detections(*predictions)
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # Triton needs a C compiler and a driver that it knows
            _failures.append(f"Triton failed: {error!r}"[:500])
            _log.warning("the suppression runs without its kernels: %s", _failures[0])
    return pack(static_detections(*predictions), limits.per_image)


def unsupported_reason(logits: Float[Tensor, "B K C"], limits: DetectionLimits) -> str:
    """Return why the kernels cannot serve these predictions; empty if they can."""
    if not logits.is_cuda:
        return "predictions are not on a GPU"
    if torch.version.hip or not _has_triton():
        return "Triton for NVIDIA GPUs is not installed"
    if logits.dtype == torch.float64:
        return "predictions are in double precision"
    if candidate_count(limits, logits) > MOST_CANDIDATES:
        return f"more than {MOST_CANDIDATES} candidates of an image are compared"
    return _failures[0] if _failures else ""


@cache
def _has_triton() -> bool:
    return find_spec("triton") is not None


def fused_detections(
    locations: Float[Tensor, "B K 4"],
    logits: Float[Tensor, "B K C"],
    default_boxes_cxcywh: Float[Tensor, "K 4"],
    variances: tuple[float, float],
    limits: DetectionLimits,
) -> Packed:
    """Return the detections among the best candidates of each image, all in float32."""
    from ssd_core.detection import kernels  # Triton exists only for some platforms

    images, count, device = len(logits), candidate_count(limits, logits), logits.device
    scores = class_scores(logits)
    top = scores.topk(count, dim=1, sorted=False)
    width = max(64, 1 << (count - 1).bit_length())
    block = min(width, PAIRS // width)
    blocks = (images, width // block)

    labels, boxes = (torch.empty_like(top.indices) for _ in range(2))
    falling, bars = torch.empty_like(top.values), logits.new_empty(images)
    valid = torch.empty(images, count, dtype=torch.int8, device=device)
    more = scores.shape[1] > count
    kernels.ordered[blocks](
        top.values, top.indices, labels, boxes, falling, valid, bars, logits.shape[1], count, limits.per_class,
        min_score=limits.min_score, more=more, width=width, block=block, num_warps=8,
    )  # fmt: skip
    boxes_xyxy = decoded(locations, boxes, default_boxes_cxcywh, variances, limits)
    words = torch.empty(images, width, width // 32, dtype=torch.int32, device=device)
    kernels.conflicts[blocks](
        boxes_xyxy, labels, words, count,
        max_iou=limits.max_iou, width=width, block=block, num_warps=8, enable_fp_fusion=False,
    )  # fmt: skip
    slots = torch.empty(images, count, dtype=torch.int32, device=device)
    status = torch.empty(2, images, dtype=torch.int32, device=device)
    kernels.greedy[(images,)](
        words, valid, bars, slots, status, images, count, limits.per_image,
        min_score=limits.min_score, width=width, num_warps=8,
    )  # fmt: skip
    room = images * min(limits.per_image, count)
    out_images, out_labels = (torch.empty(room, dtype=torch.int64, device=device) for _ in range(2))
    out_scores, out_boxes = logits.new_empty(room), logits.new_empty(room, 4)
    kernels.packed[(images,)](
        labels, falling, boxes_xyxy, slots, status, out_images, out_labels, out_scores, out_boxes, count,
        padded=1 << (images - 1).bit_length(), width=width, num_warps=4,
    )  # fmt: skip
    return Packed(out_images, out_labels, out_scores, out_boxes, status)
