"""Encoding of boxes as offsets from default boxes (paper equation 2; CENTER_SIZE code of bbox_util.cpp).

Centre offsets are in units of the default box's size, sizes are logarithms of the ratio; both are divided by the
variances, which appear only in the released code. All boxes are cxcywh fractions of the image.
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
    """Return the regression targets, from which `decode` recovers the boxes."""
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
    """Return boxes as cxcywh; they may extend beyond the image."""
    offset, stretch = locations[..., :2], locations[..., 2:]
    default_centre, default_size = default_boxes_cxcywh[..., :2], default_boxes_cxcywh[..., 2:]
    centre = default_centre + offset * variances[0] * default_size
    size = default_size * torch.exp(stretch * variances[1])
    return torch.cat([centre, size], dim=-1)
