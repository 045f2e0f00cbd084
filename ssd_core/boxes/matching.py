"""Matching of default boxes to objects (paper section 2.2; MatchBBox in bbox_util.cpp).

First every object is assigned its own default box: the pair with the highest overlap in the image is matched and
removed, and so on. Then every remaining box is matched to the object it overlaps most, if at least by the threshold.
Ties go to the lowest default box, then to the first object.
Letters: B images, G objects (padded; `valid` marks the real ones), K default boxes.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ssd_core.boxes.frames import inside_image, pairwise_iou, to_xyxy
from ssd_core.boxes.objects import Objects
from ssd_core.spec.detector import DetectorSpec

NEGATIVE = -1
IGNORED = -2

MATCH_IOU = 0.5
"""Minimum overlap at which a default box is matched."""

NO_OVERLAP = 1e-6
"""Pairs with an overlap of at most this are ignored."""


class Matches(NamedTuple):
    """The object of each default box."""

    truth: Int[Tensor, "B K"]
    """Index among the G objects, or NEGATIVE, or IGNORED: neither matched nor mined."""

    iou: Float[Tensor, "B K"]
    """Largest overlap with any object in the image; 0 where ignored."""

    def matched_count(self) -> Int[Tensor, ""]:
        """N of the paper's loss, over the batch."""
        return (self.truth >= 0).sum()


@torch.no_grad()
def match(default_boxes_cxcywh: Float[Tensor, "K 4"], objects: Objects, spec: DetectorSpec) -> Matches:
    """Match a batch. Call it before the network on a GPU: it synchronises with the device and needs no predictions."""
    default_boxes_xyxy = to_xyxy(default_boxes_cxcywh)
    usable = inside_image(default_boxes_xyxy) | spec.use_boundary_boxes
    if objects.valid.any():
        truth, iou = _match(pairwise_iou(objects.boxes_xyxy, default_boxes_xyxy), objects.valid, usable)
    else:
        size = len(objects.valid), len(default_boxes_cxcywh)
        truth = torch.full(size, NEGATIVE, device=default_boxes_cxcywh.device)
        iou = default_boxes_cxcywh.new_zeros(size)
    return Matches(truth.masked_fill_(~usable, IGNORED), iou)


def _match(
    pairs: Float[Tensor, "B G K"], valid: Bool[Tensor, "B G"], usable: Bool[Tensor, " K"]
) -> tuple[Int[Tensor, "B K"], Float[Tensor, "B K"]]:
    """Return object and largest overlap of each default box. Overwrites `pairs`."""
    pairs.mul_(valid[..., None] & usable)
    iou, nearest = pairs.max(dim=1)  # ties go to the first object
    truth = torch.where(iou >= MATCH_IOU, nearest, NEGATIVE)
    image, owner, box = _one_box_per_object(pairs)
    truth[image, box] = owner
    return truth, iou


def _one_box_per_object(
    pairs: Float[Tensor, "B G K"],
) -> tuple[Int[Tensor, " M"], Int[Tensor, " M"], Int[Tensor, " M"]]:
    """Return the greedy bipartite matching as (image, object, box) triples. Overwrites `pairs`.

    A pair that is the highest of both its row and its column will be matched by the greedy order sooner or later, so
    each round matches all such pairs at once: a few rounds instead of one per object.
    """
    triples = []
    image, truth = (pairs.amax(dim=2) > NO_OVERLAP).nonzero(as_tuple=True)
    while len(image):
        highest, box = pairs[image, truth].max(dim=1)  # ties go to the lowest box
        exists = highest > NO_OVERLAP
        image, truth, box = image[exists], truth[exists], box[exists]
        mutual = pairs[image, :, box].argmax(dim=1) == truth
        triples.append(torch.stack([image[mutual], truth[mutual], box[mutual]]))
        pairs[image[mutual], truth[mutual]] = 0
        pairs[image[mutual], :, box[mutual]] = 0
        image, truth = image[~mutual], truth[~mutual]
    if not triples:
        triples.append(torch.empty(3, 0, dtype=torch.long, device=pairs.device))
    image, truth, box = torch.cat(triples, dim=1)
    return image, truth, box
