"""From network output to detections (paper section 2.2, "Inference"; detection_output_layer.cpp).

Softmax; scores above 0.01; the top 400 of each class; non-maximum suppression of overlaps above 0.45 within a class;
the top 200 of an image. Boxes are clipped only if the limits say so.
Letters: B images, K default boxes, C classes with background as class 0, N detections in all images.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor
from torchvision.ops import batched_nms

from ssd_core.boxes.coding import decode
from ssd_core.boxes.frames import to_xyxy
from ssd_core.detection.limits import PAPER_LIMITS, DetectionLimits
from ssd_core.network.model import Detector


class Detections(NamedTuple):
    """Detections of a batch in flat arrays, ordered by image, then by descending score."""

    images: Int[Tensor, " N"]
    """Position in the batch."""

    labels: Int[Tensor, " N"]
    """0-based class without background."""

    scores: Float[Tensor, " N"]
    boxes_xyxy: Float[Tensor, "N 4"]
    """Fractions of the image; they may extend beyond [0, 1] unless the limits clip them."""

    def cpu(self) -> Detections:
        return Detections(*(values.cpu() for values in self))


@torch.no_grad()
def detect(detector: Detector, images: Shaped[Tensor, "B 3 S S"], limits: DetectionLimits | None = None) -> Detections:
    """Detect objects in RGB images in 0..255, all of the detector's input size."""
    locations, logits = detector(images)
    return detections(locations, logits, detector.default_boxes, detector.spec.variances, limits)


@torch.no_grad()
def detections(
    locations: Float[Tensor, "B K 4"],
    logits: Float[Tensor, "B K C"],
    default_boxes_cxcywh: Float[Tensor, "K 4"],
    variances: tuple[float, float],
    limits: DetectionLimits | None = None,
) -> Detections:
    """Convert the output of the network to detections, in float32 or higher precision."""
    limits = limits or PAPER_LIMITS
    precision = torch.promote_types(logits.dtype, torch.float32)
    boxes_xyxy = to_xyxy(decode(locations.to(precision), default_boxes_cxcywh, variances))
    if limits.clip:
        boxes_xyxy = boxes_xyxy.clamp(0, 1)
    candidates = _best_of_each_class(boxes_xyxy, logits.to(precision).softmax(dim=2), limits)
    return _best_of_each_image(_suppress(candidates, logits.shape[2], limits), limits)


def _best_of_each_class(
    boxes_xyxy: Float[Tensor, "B K 4"], scores: Float[Tensor, "B K C"], limits: DetectionLimits
) -> Detections:
    foreground = scores[:, :, 1:].transpose(1, 2)
    best, box = foreground.topk(min(limits.per_class, foreground.shape[2]), dim=2)
    image, label, rank = (best > limits.min_score).nonzero(as_tuple=True)
    return Detections(image, label, best[image, label, rank], boxes_xyxy[image, box[image, label, rank]])


def _suppress(candidates: Detections, class_count: int, limits: DetectionLimits) -> Detections:
    """Apply greedy suppression within each class of each image; the result is ordered by descending score."""
    if not len(candidates.scores):
        return candidates
    # torchvision separates groups by shifting each along the diagonal: this requires non-negative coordinates, and in
    # float32 a shift by hundreds would lose the last digits of the overlap
    boxes = candidates.boxes_xyxy.double()
    group = candidates.images * class_count + candidates.labels
    kept = batched_nms(boxes - boxes.min(), candidates.scores.double(), group, limits.max_iou)
    return Detections(*(values[kept] for values in candidates))


def _best_of_each_image(candidates: Detections, limits: DetectionLimits) -> Detections:
    order = candidates.images.argsort(stable=True)  # stable: keeps the order by score within an image
    image = candidates.images[order]
    rank = torch.arange(len(image), device=image.device) - torch.searchsorted(image, image)
    kept = order[rank < limits.per_image]
    return Detections(*(values[kept] for values in candidates))
