"""Annotated objects of a batch of images, padded to the largest number in any image.

Tested in tests/ssd_core/boxes/test_matching.py.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


class Objects(NamedTuple):
    """Objects of B images, up to G each; entries where `valid` is false are padding."""

    boxes_xyxy: Float[Tensor, "B G 4"]
    """Fractions of image width and height."""

    labels: Int[Tensor, "B G"]
    """0-based classes without background."""

    valid: Bool[Tensor, "B G"]

    def to(self, device: torch.device, non_blocking: bool = False) -> Objects:
        return Objects(*(values.to(device, non_blocking=non_blocking) for values in self))
