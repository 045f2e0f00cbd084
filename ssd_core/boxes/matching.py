"""Matching of default boxes to objects (paper section 2.2; MatchBBox in bbox_util.cpp).

First every object is assigned its own default box: the pair with the highest overlap in the image is matched and
removed, and so on. Then every remaining box is matched to the object it overlaps most, if at least by the threshold.
Ties go to the lowest default box, then to the first object.
With `static_shapes` no operator's shape depends on values, as a GPU needs: every other operator makes the host wait for
the device. Both computations give the same matches; the one with dynamic shapes is faster on a CPU.
Letters: B images, G objects (padded; `valid` marks the real ones), K default boxes.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
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
def match(
    default_boxes_cxcywh: Float[Tensor, "K 4"], objects: Objects, spec: DetectorSpec, *, static_shapes: bool = False
) -> Matches:
    """Match the objects of a batch to the default boxes."""
    default_boxes_xyxy = to_xyxy(default_boxes_cxcywh)
    usable = inside_image(default_boxes_xyxy) | spec.use_boundary_boxes
    if objects.valid.shape[1]:
        pairs = pairwise_iou(objects.boxes_xyxy, default_boxes_xyxy).mul_(objects.valid[..., None] & usable)
        truth, iou = _match(pairs, static_shapes)
    else:
        size = len(objects.valid), len(default_boxes_cxcywh)
        truth = torch.full(size, NEGATIVE, device=default_boxes_cxcywh.device)
        iou = default_boxes_cxcywh.new_zeros(size)
    return Matches(truth.masked_fill_(~usable, IGNORED), iou)


def _match(pairs: Float[Tensor, "B G K"], static_shapes: bool) -> tuple[Int[Tensor, "B K"], Float[Tensor, "B K"]]:
    """Return object and largest overlap of each default box. Overwrites `pairs`."""
    iou, nearest = pairs.max(dim=1)  # ties go to the first object
    owners = _owners_by_pair(pairs) if static_shapes else _owners_by_round(pairs)
    truth = nearest.masked_fill(~(iou >= MATCH_IOU), NEGATIVE)
    return torch.where(owners >= 0, owners, truth), iou


def _owners_by_pair(pairs: Float[Tensor, "B G K"]) -> Int[Tensor, "B K"]:
    """Return the object that each default box is assigned to in the greedy matching, or NEGATIVE. Overwrites `pairs`.

    In each image one pair is assigned at a time, so that the number of rounds is that of the objects.
    """
    images, objects, boxes = pairs.shape
    owners = torch.full((images, boxes), NEGATIVE, device=pairs.device)
    for _ in range(objects):
        highest, box = pairs.max(dim=2)  # ties go to the lowest box
        top = highest.amax(dim=1, keepdim=True)
        truth = box.masked_fill(highest < top, boxes).argmin(dim=1, keepdim=True)  # ties: lowest box, first object
        box = box.gather(1, truth)
        owners.scatter_(1, box, torch.where(top > NO_OVERLAP, truth, owners.gather(1, box)))
        pairs.scatter_(1, truth[..., None].expand(images, 1, boxes), 0)
        pairs.scatter_(2, box[..., None].expand(images, objects, 1), 0)
    return owners


def _owners_by_round(pairs: Float[Tensor, "B G K"]) -> Int[Tensor, "B K"]:
    """Return what `_owners_by_pair` returns. Overwrites `pairs`.

    A pair that is the highest of both its row and its column will be matched by the greedy order sooner or later, so
    each round matches all such pairs at once: a few rounds instead of one per object.
    """
    owners = torch.full((len(pairs), pairs.shape[2]), NEGATIVE, device=pairs.device)
    image, truth = (pairs.amax(dim=2) > NO_OVERLAP).nonzero(as_tuple=True)
    while len(image):
        highest, box = pairs[image, truth].max(dim=1)  # ties go to the lowest box
        exists = highest > NO_OVERLAP
        image, truth, box = image[exists], truth[exists], box[exists]
        mutual = pairs[image, :, box].argmax(dim=1) == truth
        owners[image[mutual], box[mutual]] = truth[mutual]
        pairs[image[mutual], truth[mutual]] = 0
        pairs[image[mutual], :, box[mutual]] = 0
        image, truth = image[~mutual], truth[~mutual]
    return owners
