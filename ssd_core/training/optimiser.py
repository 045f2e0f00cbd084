"""Stochastic gradient descent with the parameter groups of the released code (model_libs.py of weiliu89/caffe).

Weights use the scheduled learning rate, with weight decay. Biases use twice the rate, without decay. The scale of the
L2 normalisation is a weight. The paper has no GroupNorm: here its parameters use the scheduled rate without decay,
since decay would pull whole channels to zero.
Momentum is torch's, with the rate outside the velocity. Caffe has it inside (sgd_solver.cpp), so that there the ten or
so steps after a drop still move at the old rate.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import torch
from torch import nn

from ssd_core.backbones.layers import L2Norm

BIAS_LR_SCALE = 2.0

ADAM_BETAS = (0.9, 0.99)
"""The second moment averages over about 100 steps, since trainings with AdamW run for only a thousand or so."""


def build_optimiser(
    detector: nn.Module, kind: Literal["sgd", "adamw"] = "sgd", *, momentum: float = 0.9, weight_decay: float = 5e-4
) -> torch.optim.Optimizer:
    """Return the optimiser at learning rate 0; call `set_learning_rate` before each step. On a GPU it is fused."""
    groups = list(parameter_groups(detector, weight_decay))
    fused = all(parameter.is_cuda for parameter in detector.parameters()) or None  # None: torch's choice
    if kind == "adamw":
        return torch.optim.AdamW(groups, lr=0.0, betas=ADAM_BETAS, fused=fused)
    return torch.optim.SGD(groups, lr=0.0, momentum=momentum, fused=fused)


def set_learning_rate(optimiser: torch.optim.Optimizer, learning_rate: float) -> None:
    """Set each group's rate to its multiple of the scheduled learning rate."""
    for group in optimiser.param_groups:
        group["lr"] = learning_rate * group["lr_scale"]


def parameter_groups(detector: nn.Module, weight_decay: float) -> Iterator[dict[str, Any]]:
    """Yield the groups "weights", "biases" and "norms" with their `lr_scale` and `weight_decay`, even if empty.

    Raises TypeError for a layer whose parameters belong to no group.
    """
    groups: dict[str, list[nn.Parameter]] = {"weights": [], "biases": [], "norms": []}
    for layer in detector.modules():
        for name, parameter in layer.named_parameters(recurse=False):
            groups[_group(layer, name)].append(parameter)
    yield {"name": "weights", "params": groups["weights"], "lr_scale": 1.0, "weight_decay": weight_decay}
    yield {"name": "biases", "params": groups["biases"], "lr_scale": BIAS_LR_SCALE, "weight_decay": 0.0}
    yield {"name": "norms", "params": groups["norms"], "lr_scale": 1.0, "weight_decay": 0.0}


def _group(layer: nn.Module, name: str) -> str:
    match layer:
        case nn.GroupNorm():
            return "norms"
        case L2Norm():
            return "weights"
        case nn.Conv2d():
            return "biases" if name == "bias" else "weights"
    raise TypeError(f"no learning rate and weight decay are defined for parameter {name!r} of {type(layer).__name__}")
