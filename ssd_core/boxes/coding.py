"""Offsets between a default box and an object's box (paper equation 2; CENTER_SIZE code of bbox_util.cpp).

Centres are measured in sizes of the default box, sizes as logarithms of the ratio; both are divided by
the variances, which are known only from the released code. All boxes are cxcywh fractions of the image.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def encode(
    boxes_cxcywh: Float[Tensor, "*batch 4"],
    default_boxes_cxcywh: Float[Tensor, "*batch 4"],
    variances: tuple[float, float],
) -> Float[Tensor, "*batch 4"]:
    """What the network shall predict so that `decode` gives back the boxes."""
    centre, size = boxes_cxcywh[..., :2], boxes_cxcywh[..., 2:]
    default_centre, default_size = default_boxes_cxcywh[..., :2], default_boxes_cxcywh[..., 2:]
    offset = (centre - default_centre) / default_size / variances[0]
    stretch = torch.log(size / default_size) / variances[1]
    return torch.cat([offset, stretch], dim=-1)


def decode(
    locations: Float[Tensor, "*batch K 4"],
    default_boxes_cxcywh: Float[Tensor, "K 4"],
    variances: tuple[float, float],
) -> Float[Tensor, "*batch K 4"]:
    """Boxes as cxcywh; they may leave the image."""
    offset, stretch = locations[..., :2], locations[..., 2:]
    default_centre, default_size = default_boxes_cxcywh[..., :2], default_boxes_cxcywh[..., 2:]
    centre = default_centre + offset * variances[0] * default_size
    size = default_size * torch.exp(stretch * variances[1])
    return torch.cat([centre, size], dim=-1)
