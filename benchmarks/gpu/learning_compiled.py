"""Whether torch.compile keeps the gradients of a network, measured on one batch before a training relies on it."""

from __future__ import annotations

from typing import Any

import torch
from gpu.learning_losses import LossOf
from torch import Tensor, nn

from ssd_core.data.training_stream import Batch
from ssd_core.network.precision import Precision, autocast

TOLERANCE = 0.05
"""By how much compiling may lower the cosine between the gradient and that in fp32."""


def faithful(
    detector: nn.Module, compiled: Any, images: Tensor, batch: Batch, loss_of: LossOf, precision: Precision
) -> tuple[Any, dict[str, float]]:
    """Return the compiled network, or `detector` if compiling distorts the gradient; and the cosines with fp32."""
    reference = _gradient(detector, images, batch, loss_of, "fp32")
    cosines = {
        name: float(torch.cosine_similarity(_gradient(network, images, batch, loss_of, precision), reference, dim=0))
        for name, network in (("uncompiled", detector), ("compiled", compiled))
    }
    detector.zero_grad(set_to_none=True)
    return compiled if cosines["compiled"] >= cosines["uncompiled"] - TOLERANCE else detector, cosines


def _gradient(network: Any, images: Tensor, batch: Batch, loss_of: LossOf, precision: Precision) -> Tensor:
    """Return the gradient of all parameters as one vector."""
    network.zero_grad(set_to_none=True)
    with autocast(precision, images.device):
        locations, logits = network(images)
    torch.autograd.backward(loss_of(locations.float(), logits.float(), batch))
    return torch.cat([parameter.grad.flatten() for parameter in network.parameters() if parameter.grad is not None])
