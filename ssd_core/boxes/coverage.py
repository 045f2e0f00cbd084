"""Coverage of annotated objects by the default boxes of a specification (paper section 2.2, matching).

An object that overlaps no default box by MATCH_IOU trains at most one box, the one that bipartite matching assigns, and
is rarely detected: it is too small, too elongated, or between scales. Boxes are fractions of the image, so that the
overlap equals that in the resized input. Letters: G objects, K default boxes, S scales in the order of the sources.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ssd_core.boxes.default_boxes import default_boxes
from ssd_core.boxes.frames import inside_image, pairwise_iou, to_xyxy
from ssd_core.boxes.matching import MATCH_IOU
from ssd_core.spec.detector import DetectorSpec

OBJECTS_AT_ONCE = 256
"""Limits memory: 256 objects times the 24564 boxes of SSD512 are 25 MB per temporary."""


class Coverage(NamedTuple):
    """Overlap of each object with the default boxes of each scale."""

    iou: Float[Tensor, "G S"]
    """Largest overlap with any default box of the scale."""

    boxes: Int[Tensor, "G S"]
    """Number of default boxes of the scale with an overlap of at least MATCH_IOU."""

    def best_scale(self) -> Int[Tensor, " G"]:
        """Return the scale of the default box with the largest overlap; ties go to the first."""
        return self.iou.argmax(dim=1)

    def reached(self) -> Bool[Tensor, " G"]:
        """Return whether any default box overlaps the object by at least MATCH_IOU."""
        return (self.boxes > 0).any(dim=1)


def coverage(boxes_xyxy: Float[Tensor, "G 4"], spec: DetectorSpec) -> Coverage:
    """Return the overlap of objects with the default boxes that training may use."""
    defaults_xyxy = to_xyxy(default_boxes(spec))
    usable = inside_image(defaults_xyxy) | spec.use_boundary_boxes
    scale = scale_of_boxes(spec)
    columns = [(scale == number) & usable for number in range(len(scale_names(spec)))]
    parts = [_overlaps(part, defaults_xyxy, columns) for part in torch.split(boxes_xyxy, OBJECTS_AT_ONCE)]
    return Coverage(*(torch.cat(values) for values in zip(*parts, strict=True)))


def scale_names(spec: DetectorSpec) -> tuple[str, ...]:
    """Return the names of the S scales: layer and side of the small square in input pixels, such as "conv4_3 30"."""
    return tuple(f"{source.layer} {scale.size:.0f}" for source in spec.sources for scale in source.scales)


def scale_of_boxes(spec: DetectorSpec) -> Int[Tensor, " K"]:
    """Return the index of each default box's scale, in the order of `default_boxes`."""
    cells = spec.cells()
    numbers: list[Tensor] = []
    first = 0
    for source in spec.sources:
        counts = torch.tensor([scale.boxes_per_cell for scale in source.scales])
        in_cell = torch.arange(first, first + len(counts)).repeat_interleave(counts)
        numbers.append(in_cell.repeat(cells[source.layer] ** 2))
        first += len(counts)
    return torch.cat(numbers)


def _overlaps(
    boxes_xyxy: Float[Tensor, "G 4"], defaults_xyxy: Float[Tensor, "K 4"], columns: list[Tensor]
) -> tuple[Tensor, Tensor]:
    pairs = pairwise_iou(boxes_xyxy, defaults_xyxy)
    empty = pairs.new_zeros(len(pairs), 1)  # a scale may have no usable box
    of_scales = [torch.cat([pairs[:, column], empty], dim=1) for column in columns]
    return (
        torch.stack([overlaps.amax(dim=1) for overlaps in of_scales], dim=1),
        torch.stack([(overlaps >= MATCH_IOU).sum(dim=1) for overlaps in of_scales], dim=1),
    )
