"""Candidates and greedy suppression in fixed shapes: no shape depends on values, so that nothing waits for a GPU.

The best candidates of each image over all classes are compared with each other in one matrix. Greedy suppression is the
only solution of: a candidate is kept if and only if no better one that overlaps it is kept. Starting from all, each
pass settles at least one more candidate of every chain of overlaps, so that a pass that changes nothing has found it.
An image whose candidates or passes do not suffice is marked as incomplete.
Letters: B images, K default boxes, C classes with background as class 0, k candidates of an image.

Tested in tests/ssd_core/detection/test_decoding.py.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ssd_core.boxes.coding import decode
from ssd_core.boxes.frames import to_xyxy
from ssd_core.detection.limits import DetectionLimits

CANDIDATES = 512
"""Number of candidates of an image that are compared: two and a half for each detection of the paper's limits."""

PASSES = 8
"""Number of passes of the suppression; it needs as many as candidates follow one from another, and one more."""

MOST_PAIRS = 32 * CANDIDATES**2
"""Number of pairs compared at once: some 0.5 GiB of matrices."""


class Kept(NamedTuple):
    """Candidates of each image by descending score, class and default box, and which of them are detections."""

    labels: Int[Tensor, "B k"]
    scores: Float[Tensor, "B k"]
    boxes_xyxy: Float[Tensor, "B k 4"]
    kept: Bool[Tensor, "B k"]
    complete: Bool[Tensor, " B"]
    """Whether these are all detections of the image."""


def static_detections(
    locations: Float[Tensor, "B K 4"],
    logits: Float[Tensor, "B K C"],
    default_boxes_cxcywh: Float[Tensor, "K 4"],
    variances: tuple[float, float],
    limits: DetectionLimits,
) -> Kept:
    """Return the detections among the best candidates of each image. Locations and logits are float32 or float64."""
    count = candidate_count(limits, logits)
    size = max(1, MOST_PAIRS // count**2)
    parts = [
        _detections(*part, default_boxes_cxcywh, variances, limits, count)
        for part in zip(torch.split(locations, size), torch.split(logits, size), strict=True)
    ]
    return parts[0] if len(parts) == 1 else Kept(*(torch.cat(values) for values in zip(*parts, strict=True)))


def candidate_count(limits: DetectionLimits, logits: Float[Tensor, "B K C"]) -> int:
    """Return the number of candidates of an image that are compared."""
    return min(max(CANDIDATES, 2 * limits.per_image), logits.shape[1] * (logits.shape[2] - 1))


def _detections(
    locations: Tensor,
    logits: Tensor,
    default_boxes_cxcywh: Tensor,
    variances: tuple[float, float],
    limits: DetectionLimits,
    count: int,
) -> Kept:
    labels, box, scores, bar = _best(logits, count)
    bar = bar.clamp(min=limits.min_score)
    boxes_xyxy = decoded(locations, box, default_boxes_cxcywh, variances, limits)
    alike = (labels[:, :, None] == labels[:, None]).triu(diagonal=1)  # [image, better candidate, candidate]
    valid = scores > bar[:, None]
    if count > limits.per_class:  # else no class has that many
        valid &= alike.sum(dim=1) < limits.per_class
    kept, settled = _greedy(alike & _overlap(boxes_xyxy, limits.max_iou), valid)
    kept &= kept.cumsum(dim=1) <= limits.per_image
    complete = settled & ((kept.sum(dim=1) == limits.per_image) | (bar <= limits.min_score))
    return Kept(labels, scores, boxes_xyxy, kept, complete)


def decoded(
    locations: Float[Tensor, "B K 4"],
    box: Int[Tensor, "B k"],
    default_boxes_cxcywh: Float[Tensor, "K 4"],
    variances: tuple[float, float],
    limits: DetectionLimits,
) -> Float[Tensor, "B k 4"]:
    """Return the boxes in xyxy that are predicted for some default boxes of each image."""
    chosen = locations.gather(1, box[..., None].expand(-1, -1, 4)).flatten(0, 1)
    boxes_cxcywh = decode(chosen, default_boxes_cxcywh[box.flatten()], variances)
    boxes_xyxy = to_xyxy(boxes_cxcywh).view(*box.shape, 4)
    return boxes_xyxy.clamp(0, 1) if limits.clip else boxes_xyxy


def class_scores(logits: Float[Tensor, "B K C"]) -> Float[Tensor, "B D"]:
    """Return the scores of all default boxes without background: by class, then by box."""
    return logits.softmax(dim=2)[..., 1:].transpose(1, 2).flatten(1)


def _best(
    logits: Float[Tensor, "B K C"], count: int
) -> tuple[Int[Tensor, "B k"], Int[Tensor, "B k"], Float[Tensor, "B k"], Float[Tensor, " B"]]:
    """Return class, default box and score of the `count` highest scores, and the lowest of these if there are more.

    Candidates are those above it: of several equal to it, these need not be the first.
    """
    boxes = logits.shape[1]
    scores = class_scores(logits)
    top = scores.topk(count, dim=1, sorted=False)
    bar = top.values.amin(dim=1) if scores.shape[1] > count else top.values.new_zeros(len(logits))
    place = top.indices.sort(dim=1).values
    best, order = scores.gather(1, place).sort(dim=1, descending=True, stable=True)
    place = place.gather(1, order)
    return place // boxes, place % boxes, best, bar


def _overlap(boxes_xyxy: Float[Tensor, "B k 4"], max_iou: float) -> Bool[Tensor, "B k k"]:
    """Return which pairs overlap by more than `max_iou`, in double precision like the suppression of dynamic shapes."""
    left, top, right, bottom = boxes_xyxy.double().unbind(dim=2)
    width = torch.minimum(right[:, :, None], right[:, None]).sub_(torch.maximum(left[:, :, None], left[:, None]))
    height = torch.minimum(bottom[:, :, None], bottom[:, None]).sub_(torch.maximum(top[:, :, None], top[:, None]))
    shared = width.clamp_(min=0).mul_(height.clamp_(min=0))
    area = (right - left) * (bottom - top)
    union = (area[:, :, None] + area[:, None]).sub_(shared)
    return shared.div_(union) > max_iou


def _greedy(
    suppresses: Bool[Tensor, "B k k"], valid: Bool[Tensor, "B k"]
) -> tuple[Bool[Tensor, "B k"], Bool[Tensor, " B"]]:
    """Return which candidates are kept, and in which images that is settled.

    `suppresses[image, better, candidate]` holds if the first excludes the second.
    """
    number = torch.float16 if valid.is_cuda else torch.float32  # exact: one, less a number of candidates
    matrix, start = suppresses.to(number), valid[:, None].to(number)
    before = kept = start
    with torch.autocast(valid.device.type, enabled=False):  # it would convert the matrix in every pass
        for _ in range(PASSES):
            before, kept = kept, torch.baddbmm(start, kept, matrix, alpha=-1).clamp_(min=0)
    return kept[:, 0] > 0, (before == kept).flatten(1).all(dim=1)
