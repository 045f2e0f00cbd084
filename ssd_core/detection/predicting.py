"""Predictions for a batch of images, optionally together with those for the mirrored images (test-time flip).

Tested in tests/ssd_core/detection/test_predicting.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

Network = Callable[[Tensor], tuple[Tensor, Tensor]]
"""Images (B, 3, S, S) to encoded locations and logits."""


class Predictions(NamedTuple):
    """For every default box; with mirrored images for twice as many, first those of the image itself."""

    locations: Float[Tensor, "B K 4"]
    logits: Float[Tensor, "B K C"]
    default_boxes_cxcywh: Float[Tensor, "K 4"]


def predict(
    network: Network,
    images: Shaped[Tensor, "B 3 S S"],
    default_boxes_cxcywh: Float[Tensor, "K 4"],
    *,
    flip: bool,
) -> Predictions:
    """Apply the network to the images; with `flip` also to their mirror images, whose boxes are mirrored back.

    A box is mirrored by its encoding: the default box by its centre, the offset of the centre by its sign.
    """
    locations, logits = network(images)
    if not flip:
        return Predictions(locations, logits, default_boxes_cxcywh)
    mirrored_locations, mirrored_logits = network(images.flip(3))
    cx, cy, width, height = default_boxes_cxcywh.unbind(1)
    mirrored_boxes = torch.stack([1 - cx, cy, width, height], dim=1)
    return Predictions(
        torch.cat([locations, torch.cat([-mirrored_locations[..., :1], mirrored_locations[..., 1:]], dim=2)], dim=1),
        torch.cat([logits, mirrored_logits], dim=1),
        torch.cat([default_boxes_cxcywh, mirrored_boxes]),
    )
