"""The detector as a graph that other runtimes execute: uint8 RGB in, fixed-size tensors out.

Shapes depend only on the number of images. The suppression of `decoding.py` becomes a loop: it takes the best remaining
candidate of each image and removes those of its class that overlap it, until enough are taken or none remains. This
gives the same detections in the same order.
Letters: B images, S input size, K default boxes, C classes with background as class 0, D candidates of an image, L
detections that an image may have.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn

from ssd_core.boxes.coding import decode
from ssd_core.boxes.frames import to_xyxy
from ssd_core.detection.limits import DetectionLimits
from ssd_core.detection.predicting import predict
from ssd_core.network.model import Detector

TIE = 2.0**-45
"""Relative step by which the scores of later boxes are lowered: in double precision, less than float32 resolves."""

RAW_OUTPUTS = ("locations", "logits", "default_boxes")
DETECTION_OUTPUTS = ("boxes", "scores", "labels", "counts")

Loop = Callable[[Tensor, Tensor, Tensor, int, float], Tensor]
"""Takes scores, corners, labels, L and the largest overlap; returns the candidates taken as (B, L), -1 for none."""


class RawOutput(nn.Module):
    """Images to encoded locations and logits; also returns the default boxes, which decoding needs."""

    def __init__(self, detector: Detector, *, flip: bool = False) -> None:
        super().__init__()
        self.detector, self.flip = detector, flip

    def forward(
        self, images: UInt8[Tensor, "B 3 S S"]
    ) -> tuple[Float[Tensor, "B K 4"], Float[Tensor, "B K C"], Float[Tensor, "K 4"]]:
        locations, logits, boxes = predict(self.detector, images, self.detector.default_boxes, flip=self.flip)
        return locations, logits, boxes.clone()  # an output may not be a constant itself


class DetectionOutput(nn.Module):
    """Images to detections by descending score, padded to L with the label -1, the score 0 and an empty box."""

    def __init__(self, detector: Detector, limits: DetectionLimits, loop: Loop) -> None:
        super().__init__()
        self.detector, self.limits, self.loop = detector, limits, loop

    def forward(
        self, images: UInt8[Tensor, "B 3 S S"]
    ) -> tuple[Float[Tensor, "B L 4"], Float[Tensor, "B L"], Int[Tensor, "B L"], Int[Tensor, " B"]]:
        """Return corners (xmin, ymin, xmax, ymax) as fractions of the image, scores, labels and their number."""
        own = self.detector.default_boxes
        locations, logits, default_boxes = predict(self.detector, images, own, flip=self.limits.flip)
        boxes_xyxy = to_xyxy(decode(locations, default_boxes, self.detector.spec.variances))
        if self.limits.clip:
            boxes_xyxy = boxes_xyxy.clamp(0, 1)
        scores, boxes, labels = candidates(logits, self.limits)
        corners = boxes_xyxy.gather(1, boxes[..., None].expand(-1, -1, 4))
        taken = self.loop(scores, corners.double(), labels, self.limits.per_image, self.limits.max_iou)
        found, place = taken >= 0, taken.clamp(min=0)
        return (
            corners.gather(1, place[..., None].expand(-1, -1, 4)) * found[..., None],
            scores.gather(1, place) * found,
            torch.where(found, labels.gather(1, place), -1),
            found.sum(dim=1),
        )


def candidates(
    logits: Float[Tensor, "B K C"], limits: DetectionLimits
) -> tuple[Float[Tensor, "B D"], Int[Tensor, "B D"], Int[Tensor, "B D"]]:
    """Return score, default box and label of the best of each class, by class; a score too low to count is 0."""
    scores = logits.softmax(dim=2)[..., 1:].transpose(1, 2)
    kept = min(limits.per_class, logits.shape[1])
    order = 1 - TIE * torch.arange(logits.shape[1], dtype=torch.float64, device=logits.device)
    boxes = (scores.double() * order).topk(kept, dim=2).indices  # of equal scores, the first box is the best
    best = scores.gather(2, boxes)
    labels = torch.arange(logits.shape[2] - 1, device=logits.device)[:, None].expand_as(boxes)
    best = torch.where(best > limits.min_score, best, torch.zeros_like(best))
    return best.flatten(1), boxes.flatten(1), labels.flatten(1)


def take_best(
    number: Tensor, scores: Tensor, taken: Tensor, corners: Tensor, labels: Tensor, max_iou: float
) -> tuple[Tensor, Tensor]:
    """Write the best candidate to place `number` of `taken`; set its score, and of those it suppresses, to zero.

    Annotations are plain, as TorchScript requires.
    """
    best = scores.argmax(dim=1, keepdim=True)  # of equal scores the first, and thus by class, then by box
    exists = scores.gather(1, best) > 0
    left, top, right, bottom = corners.unbind(2)
    low_x, low_y = torch.maximum(left, left.gather(1, best)), torch.maximum(top, top.gather(1, best))
    high_x, high_y = torch.minimum(right, right.gather(1, best)), torch.minimum(bottom, bottom.gather(1, best))
    shared = (high_x - low_x).clamp(min=0) * (high_y - low_y).clamp(min=0)
    area = (right - left) * (bottom - top)
    overlaps = shared / (area + area.gather(1, best) - shared) > max_iou
    itself = torch.arange(scores.shape[1], device=scores.device) == best
    removed = (overlaps & (labels == labels.gather(1, best))) | itself
    here = (torch.arange(taken.shape[1], device=scores.device) == number) & exists
    return torch.where(removed, torch.zeros_like(scores), scores), torch.where(here, best, taken)


def exported_loop(scores: Tensor, corners: Tensor, labels: Tensor, most: int, max_iou: float) -> Tensor:
    """`Loop` for torch.export, and from there for ONNX."""

    def goes_on(number: Tensor, scores: Tensor, _: Tensor) -> Tensor:
        return (number < most) & (scores.amax(dim=(0, 1)) > 0)

    def step(number: Tensor, scores: Tensor, taken: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return number + 1, *take_best(number, scores, taken, corners, labels, max_iou)

    start = torch.zeros((), dtype=torch.int64, device=scores.device)
    nothing = torch.full((scores.shape[0], most), -1, dtype=torch.int64, device=scores.device)
    taken: Tensor = torch.while_loop(goes_on, step, (start, scores, nothing))[2]  # type: ignore[no-untyped-call]
    return taken


def plain_loop(scores: Tensor, corners: Tensor, labels: Tensor, most: int, max_iou: float) -> Tensor:
    """`Loop` in plain Python, which TorchScript compiles."""
    taken = torch.full((scores.shape[0], most), -1, dtype=torch.int64, device=scores.device)
    number = torch.zeros((), dtype=torch.int64, device=scores.device)
    while bool(number < most) and bool((scores > 0).any()):
        scores, taken = take_best(number, scores, taken, corners, labels, max_iou)
        number = number + 1
    return taken
