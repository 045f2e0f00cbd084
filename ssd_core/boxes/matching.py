"""Matching of default boxes to objects (paper section 2.2; MatchBBox in bbox_util.cpp).

First every object is assigned its own default box: the pair with the highest overlap in the image is matched and
removed, and so on. Then every remaining box is matched to the object it overlaps most, if at least by the threshold.
Ties go to the lowest default box, then to the first object.
With `static_shapes` no operator's shape depends on values, as a GPU needs: every other operator makes the host wait for
the device. Both computations give the same matches; the one with dynamic shapes is faster on a CPU.
A batch with many objects is matched image by image, and an image with very many in parts of its objects, so that
memory stays bounded; the matches are the same.
Letters: B images, G objects (padded; `valid` marks the real ones), K default boxes.
"""

from __future__ import annotations

from collections.abc import Iterator
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

MOST_PAIRS = 1 << 25
"""Pairs of objects and default boxes that are compared at once. A pair takes 17 bytes, so that 32 images of SSD300 with
up to 120 objects, all of COCO's, take 0.5 GiB in one piece."""


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
    images, most = objects.valid.shape
    if not most:
        size = images, len(default_boxes_cxcywh)
        truth = torch.full(size, NEGATIVE, device=default_boxes_cxcywh.device)
        return Matches(truth.masked_fill_(~usable, IGNORED), default_boxes_cxcywh.new_zeros(size))
    parts = [
        _match_images(boxes, valid, default_boxes_xyxy, usable, static_shapes)
        for boxes, valid in _parts(objects, len(default_boxes_cxcywh))
    ]
    truth, iou = (torch.cat(values) for values in zip(*parts, strict=True))
    return Matches(truth.masked_fill_(~usable, IGNORED), iou)


def _parts(objects: Objects, boxes: int) -> Iterator[tuple[Float[Tensor, "b G 4"], Bool[Tensor, "b G"]]]:
    """Yield the boxes and valid entries of as many images at a time as make up to MOST_PAIRS, but at least one."""
    images = max(1, MOST_PAIRS // (objects.valid.shape[1] * boxes))
    yield from zip(torch.split(objects.boxes_xyxy, images), torch.split(objects.valid, images), strict=True)


def _match_images(
    boxes_xyxy: Float[Tensor, "b G 4"],
    valid: Bool[Tensor, "b G"],
    default_boxes_xyxy: Float[Tensor, "K 4"],
    usable: Bool[Tensor, " K"],
    static_shapes: bool,
) -> tuple[Int[Tensor, "b K"], Float[Tensor, "b K"]]:
    """Return object and largest overlap of each default box."""
    if valid.numel() * len(usable) > MOST_PAIRS:  # a single image
        return _match_in_parts(boxes_xyxy[0], valid[0], default_boxes_xyxy, usable)
    pairs = pairwise_iou(boxes_xyxy, default_boxes_xyxy).mul_(valid[..., None] & usable)
    return _match(pairs, static_shapes)


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


def _match_in_parts(
    boxes_xyxy: Float[Tensor, "G 4"],
    valid: Bool[Tensor, " G"],
    default_boxes_xyxy: Float[Tensor, "K 4"],
    usable: Bool[Tensor, " K"],
) -> tuple[Int[Tensor, "1 K"], Float[Tensor, "1 K"]]:
    """Return what `_match` returns for one image, by the rounds of `_owners_by_round`, without storing all overlaps.

    The best partner of an object or a default box changes only when that partner is matched; only then is it looked
    for again.
    """
    waiting, free = valid.clone(), usable.clone()
    of_object, box = _highest(boxes_xyxy, default_boxes_xyxy, free)
    of_box, truth = _highest(default_boxes_xyxy, boxes_xyxy, waiting)
    iou = of_box * usable
    matched = truth.masked_fill(~(iou >= MATCH_IOU), NEGATIVE)
    numbers = torch.arange(len(valid), device=valid.device)
    while (mutual := waiting & (of_object > NO_OVERLAP) & (truth[box] == numbers)).any():
        matched[box[mutual]] = numbers[mutual]
        waiting, free[box[mutual]] = waiting & ~mutual, False
        stale = waiting & ~free[box]
        of_object[stale], box[stale] = _highest(boxes_xyxy[stale], default_boxes_xyxy, free)
        stale = free & mutual[truth]
        truth[stale] = _highest(default_boxes_xyxy[stale], boxes_xyxy, waiting)[1]
    return matched[None], iou[None]


def _highest(
    boxes_xyxy: Float[Tensor, "N 4"], others_xyxy: Float[Tensor, "M 4"], allowed: Bool[Tensor, " M"]
) -> tuple[Float[Tensor, " N"], Int[Tensor, " N"]]:
    """Return the highest overlap of each box with an allowed other, and its index; ties go to the first."""
    best = boxes_xyxy.new_empty(len(boxes_xyxy)), torch.empty(len(boxes_xyxy), dtype=torch.long, device=allowed.device)
    rows = max(1, MOST_PAIRS // (128 * len(others_xyxy)))  # parts of 1 MB are the fastest
    for part, *out in zip(*(torch.split(values, rows) for values in (boxes_xyxy, *best)), strict=True):
        # into place: small results that outlive the overlaps would scatter the heap, which then grows to 1 GiB
        torch.max(pairwise_iou(part, others_xyxy).mul_(allowed), dim=1, out=out)
    return best
