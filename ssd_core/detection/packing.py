"""Detections of a batch in arrays of fixed shape, of which the host learns how many there are by waiting once.

Letters: B images, k candidates of an image, P the most detections of an image, N detections in all images.

Tested in tests/ssd_core/detection/test_decoding.py.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ssd_core.detection.static_suppression import Kept

Flat = tuple[Int[Tensor, " N"], Int[Tensor, " N"], Float[Tensor, " N"], Float[Tensor, "N 4"]]
"""Image, label, score and box of each detection."""


class Packed(NamedTuple):
    """Detections ordered by image, then by descending score, at the start of arrays for B * P of them."""

    images: Int[Tensor, " BP"]
    labels: Int[Tensor, " BP"]
    scores: Float[Tensor, " BP"]
    boxes_xyxy: Float[Tensor, "BP 4"]
    status: Int[Tensor, "2 B"]
    """Number of detections of each image; whether these are all (1) or not (0)."""

    def read(self) -> tuple[Flat, list[bool]]:
        """Return copies of the detections, and for each image whether these are all. The host waits for the device."""
        totals, complete = self.status.tolist()
        images, labels, scores, boxes_xyxy = (values[: sum(totals)].clone() for values in self[:4])
        return (images, labels, scores, boxes_xyxy), [bool(each) for each in complete]


def pack(kept: Kept, per_image: int) -> Packed:
    """Return the detections, of which each image has at most `per_image`."""
    count = kept.kept.shape[1]
    chosen = kept.kept.flatten()
    room = len(kept.kept) * min(per_image, count)
    slot = (chosen.cumsum(dim=0) - 1).masked_fill(~chosen, room)  # those that are not kept share a place at the end
    candidates = torch.arange(len(chosen), device=chosen.device)
    place = torch.zeros(room + 1, dtype=torch.int64, device=chosen.device).scatter_(0, slot, candidates)[:room]
    labels, scores, boxes_xyxy = kept.labels.flatten(), kept.scores.flatten(), kept.boxes_xyxy.flatten(0, 1)
    status = torch.stack([kept.kept.sum(dim=1), kept.complete.long()])
    return Packed(place // count, labels[place], scores[place], boxes_xyxy[place], status)
