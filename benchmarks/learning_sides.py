"""Two sides that train and use one network: ours, and torchvision's SSD class around the same modules.

Both share parameters, preprocessing and default boxes, so that only the compared parts differ: matching and loss,
augmentation (learning_data.py), and the conversion of raw outputs to detections.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from learning_data import pixels
from numpy import ndarray
from torch import Tensor, nn
from torchvision.models.detection.anchor_utils import DefaultBoxGenerator
from torchvision.models.detection.ssd import SSD, SSDHead

from ssd_core.boxes.matching import match
from ssd_core.boxes.objects import Objects
from ssd_core.data.evaluation_stream import evaluation_batches
from ssd_core.data.shards import ShardSet
from ssd_core.data.training_stream import Batch
from ssd_core.detection.decoding import detect
from ssd_core.metrics.voc_ap import ScoredBoxes
from ssd_core.network.feature_blueprint import layer_widths
from ssd_core.network.model import Detector
from ssd_core.spec.detector import DetectorSpec
from ssd_core.training.loss import LossSums, multibox_loss

Whose = Literal["ours", "torchvision"]


class SourceMaps(nn.Module):
    """The source maps of a detector, in the form that torchvision's SSD expects of a backbone."""

    def __init__(self, detector: Detector) -> None:
        super().__init__()
        self.layers = [source.layer for source in detector.spec.sources]
        self.features, self.l2_norm = detector.features, detector.l2_norm

    def forward(self, images: Float[Tensor, "B 3 S S"]) -> OrderedDict[str, Tensor]:
        maps: dict[str, Tensor] = {}
        for layer, part in self.features.items():
            images = part(images)
            maps[layer] = self.l2_norm(images) if layer == "conv4_3" and self.l2_norm else images
        return OrderedDict((layer, maps[layer]) for layer in self.layers)


def torchvision_ssd(detector: Detector) -> SSD:
    """Wrap the layers of `detector`, not copies, in torchvision's SSD. Raises ValueError for unsupported settings."""
    spec, heads = detector.spec, [detector.heads[source.layer] for source in detector.spec.sources]
    if spec.preprocessing.channel_order != "rgb":
        raise ValueError("torchvision's SSD takes RGB only, but this preprocessing expects BGR")
    widths = layer_widths(spec)
    head = SSDHead(
        [widths[source.layer] for source in spec.sources],
        [source.boxes_per_cell for source in spec.sources],
        spec.class_count,
    )
    head.classification_head.module_list = nn.ModuleList([part.get_submodule("logits") for part in heads])
    head.regression_head.module_list = nn.ModuleList([part.get_submodule("locations") for part in heads])
    return SSD(
        SourceMaps(detector),
        default_box_generator(spec),
        (spec.input_size, spec.input_size),
        spec.class_count,
        image_mean=[value / 255 for value in spec.preprocessing.mean],
        image_std=[value / 255 for value in spec.preprocessing.std],
        head=head,
    )


def default_box_generator(spec: DetectorSpec) -> DefaultBoxGenerator:
    """Return torchvision's generator of the boxes of `spec`. Raises ValueError if it cannot generate them."""
    scales = [source.scales[0] for source in spec.sources]
    sizes = [*(scale.size for scale in scales), scales[-1].next_size]
    if any(len(source.scales) != 1 or not source.scales[0].large_square for source in spec.sources) or sizes[1:] != [
        scale.next_size for scale in scales
    ]:
        raise ValueError("torchvision's boxes have one scale per map, and each next_size is the scale of the next map")
    if spec.clip_boxes:
        raise ValueError("torchvision clips the sizes of default boxes, not the boxes (clip_boxes)")
    return DefaultBoxGenerator(
        [list(scale.ratios) for scale in scales],
        scales=[size / spec.input_size for size in sizes],
        steps=[source.step for source in spec.sources],
        clip=spec.clip_sizes,
    )


def our_loss(detector: Detector, batch: Batch) -> Float[Tensor, ""]:
    """Return the paper's loss of a batch, with N over the batch."""
    sums = our_loss_sums(detector, batch)
    return (sums.location + sums.confidence) / sums.matched.clamp(min=1)


def our_loss_sums(detector: Detector, batch: Batch) -> LossSums:
    matches = match(detector.default_boxes, batch.objects, detector.spec)
    locations, logits = detector(batch.images)
    return multibox_loss(locations, logits, matches, batch.objects, detector.default_boxes, detector.spec)


def torchvision_loss(ssd: SSD, batch: Batch) -> Float[Tensor, ""]:
    """Return the sum of the two losses of torchvision's SSD in training, with N over the batch."""
    size = batch.images.shape[-1]
    losses: dict[str, Tensor] = ssd(list(batch.images / 255), torchvision_targets(batch.objects, size))
    return losses["bbox_regression"] + losses["classification"]


def torchvision_targets(objects: Objects, size: int) -> list[dict[str, Tensor]]:
    """Return boxes in pixels of an input of side `size`, and labels where 0 is background."""
    return [
        {"boxes": boxes_xyxy[valid] * size, "labels": labels[valid].long() + 1}
        for boxes_xyxy, labels, valid in zip(*objects, strict=True)
    ]


@torch.no_grad()
def our_detections(detector: Detector, shards: ShardSet) -> ScoredBoxes:
    """Resize, run the network and decode as in the pipeline."""
    device, size = detector.default_boxes.device, detector.spec.input_size
    parts = []
    for batch in evaluation_batches(shards, input_size=size, batch_size=16):
        found = detect(detector, batch.images.to(device)).cpu()
        boxes_xyxy = found.boxes_xyxy * batch.sizes_wh.repeat(1, 2)[found.images]
        parts.append((batch.rows[found.images], found.labels, found.scores, boxes_xyxy))
    return _scored(parts)


@torch.no_grad()
def torchvision_detections(ssd: SSD, shards: ShardSet) -> ScoredBoxes:
    """Detect with torchvision's SSD alone, which resizes the original images itself."""
    device = next(ssd.parameters()).device
    ssd.eval()
    parts = []
    for number, row in enumerate(shards):
        found = ssd([pixels(row).to(device) / 255])[0]
        images = torch.full_like(found["labels"], number)
        parts.append((images, found["labels"] - 1, found["scores"], found["boxes"]))
    return _scored(parts)


def _scored(parts: Iterable[tuple[Tensor, ...]]) -> ScoredBoxes:
    columns: list[ndarray] = [
        np.concatenate([column.cpu().numpy() for column in columns]) for columns in zip(*parts, strict=True)
    ]
    images, labels, scores, boxes_xyxy = columns
    return ScoredBoxes(images=images, labels=labels, scores=scores, boxes_xyxy=boxes_xyxy)
