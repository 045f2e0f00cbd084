"""Which default box is responsible for which object (paper section 2.2; MatchBBox in bbox_util.cpp).

First every object gets one default box of its own: the highest overlap of the image is given away, box
and object leave, and so on. Then every box that is left goes to the object it overlaps most, if by at
least the threshold. Ties go to the lowest default box, then to the first object.
Letters: B images, G objects (padded, `valid` tells which are real), K default boxes.
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
"""From this overlap on a default box is matched."""

NO_OVERLAP = 1e-6
"""A pair that overlaps by no more than this does not exist."""


class Matches(NamedTuple):
    """The object of each default box."""

    truth: Int[Tensor, "B K"]
    """Index among the G objects, or NEGATIVE, or IGNORED: neither matched nor mined."""

    iou: Float[Tensor, "B K"]
    """Largest overlap with any object of the image; 0 where ignored."""

    def matched_count(self) -> Int[Tensor, ""]:
        """N of the paper's loss, over the batch."""
        return (self.truth >= 0).sum()


@torch.no_grad()
def match(default_boxes_cxcywh: Float[Tensor, "K 4"], objects: Objects, spec: DetectorSpec) -> Matches:
    """Match a batch. It needs no prediction, so on a GPU call it before the network: it waits for the device."""
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
    """Object and largest overlap of each default box. Overwrites `pairs`."""
    pairs.mul_(valid[..., None] & usable)
    iou, nearest = pairs.max(dim=1)  # the first object wins a tie
    truth = torch.where(iou >= MATCH_IOU, nearest, NEGATIVE)
    image, owner, box = _one_box_per_object(pairs)
    truth[image, box] = owner
    return truth, iou


def _one_box_per_object(
    pairs: Float[Tensor, "B G K"],
) -> tuple[Int[Tensor, " M"], Int[Tensor, " M"], Int[Tensor, " M"]]:
    """Greedy bipartite matching as (image, object, box) triples. Overwrites `pairs`.

    A pair that is the highest of its row and of its column is what the greedy order gives away sooner or
    later, so each round takes all of them at once: a few rounds instead of one for each object.
    """
    found = []
    image, truth = (pairs.amax(dim=2) > NO_OVERLAP).nonzero(as_tuple=True)
    while len(image):
        highest, box = pairs[image, truth].max(dim=1)  # the lowest box wins a tie
        exists = highest > NO_OVERLAP
        image, truth, box = image[exists], truth[exists], box[exists]
        mutual = pairs[image, :, box].argmax(dim=1) == truth
        found.append(torch.stack([image[mutual], truth[mutual], box[mutual]]))
        pairs[image[mutual], truth[mutual]] = 0
        pairs[image[mutual], :, box[mutual]] = 0
        image, truth = image[~mutual], truth[~mutual]
    if not found:
        found.append(torch.empty(3, 0, dtype=torch.long, device=pairs.device))
    image, truth, box = torch.cat(found, dim=1)
    return image, truth, box
