"""Multibox loss with hard negative mining (paper section 2.2 and equations 1 to 3; multibox_loss_layer.cpp).

Negatives are chosen as in MineHardExamples of bbox_util.cpp: only that code shows that the ratio of three to one holds
within each image, and that boxes above an overlap threshold are excluded.

Sums, not means: the paper's loss is (location + confidence) / matched, and the division is left to the caller, who
knows how many boxes were matched in the global batch.
With `static_shapes` no operator's shape depends on values, as a GPU needs, and the sums differ by rounding only.
Letters: B images, G objects (padded), K default boxes, C classes with background as class 0.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ssd_core.boxes.coding import encode
from ssd_core.boxes.frames import to_cxcywh
from ssd_core.boxes.matching import NEGATIVE, Matches
from ssd_core.boxes.objects import Objects
from ssd_core.spec.detector import DetectorSpec

NEGATIVES_PER_POSITIVE = 3
NEGATIVE_IOU = 0.5
"""A default box whose overlap with an object is this or more is never a negative."""


class LossSums(NamedTuple):
    """Sums over a batch, each a scalar; all zero if nothing is matched."""

    location: Float[Tensor, ""]
    confidence: Float[Tensor, ""]
    matched: Int[Tensor, ""]


def multibox_loss(
    locations: Float[Tensor, "B K 4"],
    logits: Float[Tensor, "B K C"],
    matches: Matches,
    objects: Objects,
    default_boxes_cxcywh: Float[Tensor, "K 4"],
    spec: DetectorSpec,
    *,
    static_shapes: bool = False,
) -> LossSums:
    """Return the smooth L1 loss over matched boxes, and the softmax loss over matched boxes and hard negatives.

    Half precision is promoted to float32. The choice of negatives passes no gradient.
    """
    check_counts(locations, logits, default_boxes_cxcywh)
    sums = _sum_of_all if static_shapes else _sum_of_selected
    locations, logits = _at_least_float32(locations), _at_least_float32(logits)
    location, confidence = sums(locations, logits, matches, objects, default_boxes_cxcywh, spec.variances)
    return LossSums(location, confidence, matches.matched_count())


def _sum_of_selected(
    locations: Float[Tensor, "B K 4"],
    logits: Float[Tensor, "B K C"],
    matches: Matches,
    objects: Objects,
    default_boxes_cxcywh: Float[Tensor, "K 4"],
    variances: tuple[float, float],
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Return both losses, computed for the boxes that have one."""
    image, box = (matches.truth >= 0).nonzero(as_tuple=True)
    truth = matches.truth[image, box]

    targets = encode(to_cxcywh(objects.boxes_xyxy[image, truth]), default_boxes_cxcywh[box], variances)
    location = F.smooth_l1_loss(locations[image, box], targets.to(locations.dtype), reduction="sum")

    classes = torch.zeros_like(matches.truth)
    classes[image, box] = objects.labels[image, truth].to(classes.dtype) + 1  # 0 is background
    used = (classes > 0) | hard_negatives(logits, matches)
    confidence = F.cross_entropy(logits[used], classes[used], reduction="sum")
    return location, confidence


def _sum_of_all(
    locations: Float[Tensor, "B K 4"],
    logits: Float[Tensor, "B K C"],
    matches: Matches,
    objects: Objects,
    default_boxes_cxcywh: Float[Tensor, "K 4"],
    variances: tuple[float, float],
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Return both losses, computed for every box and masked."""
    matched = matches.truth >= 0
    # an unmatched box gets an object of its own: class 0, and an area, so that its masked offsets are finite
    truth = matches.truth.masked_fill(~matched, objects.labels.shape[1])
    boxes = F.pad(to_cxcywh(objects.boxes_xyxy), (0, 0, 0, 1), value=1.0)
    labels = F.pad(objects.labels, (0, 1), value=-1)

    boxes = boxes.gather(1, truth[..., None].expand_as(locations))
    targets = encode(boxes, default_boxes_cxcywh.expand_as(boxes), variances)
    off = F.smooth_l1_loss(locations, targets.to(locations.dtype), reduction="none")
    classes = labels.gather(1, truth).long() + 1
    used = matched | hard_negatives(logits, matches)
    softmax = F.cross_entropy(logits.flatten(0, 1), classes.flatten(), reduction="none").view_as(used)
    return off.masked_fill(~matched[..., None], 0).sum(), softmax.masked_fill(~used, 0).sum()


@torch.no_grad()
def hard_negatives(logits: Float[Tensor, "B K C"], matches: Matches) -> Bool[Tensor, "B K"]:
    """Select in each image the unmatched boxes with the highest background loss, up to three per matched box."""
    candidate = (matches.truth == NEGATIVE) & (matches.iou < NEGATIVE_IOU)
    loss = logits.logsumexp(dim=2) - logits[:, :, 0]
    wanted = NEGATIVES_PER_POSITIVE * (matches.truth >= 0).sum(dim=1, keepdim=True)
    order = loss.masked_fill(~candidate, -torch.inf).argsort(dim=1, descending=True, stable=True)
    first = torch.arange(loss.shape[1], device=loss.device) < wanted
    return torch.zeros_like(candidate).scatter_(1, order, first) & candidate


def _at_least_float32(values: Tensor) -> Tensor:
    return values.to(torch.promote_types(values.dtype, torch.float32))


def check_counts(locations: Tensor, logits: Tensor, default_boxes_cxcywh: Tensor) -> None:
    """Raise ValueError unless predictions and default boxes are of the same number."""
    counts = locations.shape[1], logits.shape[1], len(default_boxes_cxcywh)
    if len(set(counts)) > 1:
        raise ValueError(
            f"{counts[0]} locations and {counts[1]} scores for {counts[2]} default boxes: "
            "do the boxes belong to the specification that the model was built from?"
        )
