"""Loss and input of both sides in the form that one training loop runs: outputs of our forward pass, batches in uint8.

torchvision's loss and matching run on the outputs of our forward pass, which are those of its own
(tests/benchmarks/test_learning.py), so that the forward pass in bf16 and the copies to the GPU are equal too.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from learning_data import TorchvisionBatches
from learning_sides import torchvision_ssd
from torch import Tensor
from torchvision.ops import box_iou

from ssd_core.boxes.frames import to_xyxy
from ssd_core.boxes.matching import match
from ssd_core.data.training_stream import Batch
from ssd_core.network.model import Detector
from ssd_core.training.loss import multibox_loss

LossOf = Callable[[Tensor, Tensor, Batch], Tensor]
"""Loss of locations (B, K, 4) and logits (B, K, C), both float32, for a batch on the CPU."""


def our_loss(detector: Detector) -> LossOf:
    """Return our matching and loss, with N over the batch; in static shapes on a GPU, like the Trainer's."""
    boxes, spec, static = detector.default_boxes, detector.spec, detector.default_boxes.is_cuda

    def loss_of(locations: Tensor, logits: Tensor, batch: Batch) -> Tensor:
        objects = batch.objects.to(boxes.device, non_blocking=True)
        matches = match(boxes, objects, spec, static_shapes=static)
        sums = multibox_loss(locations, logits, matches, objects, boxes, spec, static_shapes=static)
        return (sums.location + sums.confidence) / sums.matched.clamp(min=1)

    return loss_of


def torchvision_loss(detector: Detector) -> LossOf:
    """Return torchvision's matching and loss, with N over the batch."""
    ssd, size = torchvision_ssd(detector), detector.spec.input_size
    boxes_xyxy = to_xyxy(detector.default_boxes) * size

    def loss_of(locations: Tensor, logits: Tensor, batch: Batch) -> Tensor:
        counts = batch.objects.valid.sum(dim=1).tolist()  # on the CPU, so without waiting for the GPU
        objects = batch.objects.to(boxes_xyxy.device, non_blocking=True)
        targets = [
            {"boxes": boxes[:valid] * size, "labels": labels[:valid].long() + 1}
            for boxes, labels, valid in zip(objects.boxes_xyxy, objects.labels, counts, strict=True)
        ]
        # SSD.forward handles images without objects separately
        none = torch.full((len(boxes_xyxy),), -1, device=boxes_xyxy.device)
        matches = [
            ssd.proposal_matcher(box_iou(target["boxes"], boxes_xyxy)) if valid else none
            for target, valid in zip(targets, counts, strict=True)
        ]
        outputs = {"bbox_regression": locations, "cls_logits": logits}
        losses: dict[str, Tensor] = ssd.compute_loss(targets, outputs, [boxes_xyxy] * len(targets), matches)
        return losses["bbox_regression"] + losses["classification"]

    return loss_of


class SmallTorchvisionBatches(TorchvisionBatches):
    """torchvision's batches rounded to uint8 like ours: a quarter of the bytes between processes and to the GPU."""

    def __getitem__(self, step: int) -> Batch:
        batch = super().__getitem__(step)
        return batch._replace(images=batch.images.round().clamp(0, 255).to(torch.uint8))
