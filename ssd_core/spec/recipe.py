"""The recipe of a training: everything that determines it besides its images and initial weights.

The defaults are the paper's SSD300 on VOC 07+12.

Tested in tests/ssd_core/spec/test_departures.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite
from typing import Literal

from ssd_core.spec.augmentation import PAPER, Augmentation
from ssd_core.spec.detector import DetectorSpec
from ssd_core.spec.paper import ssd300
from ssd_core.spec.schedule import Schedule


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Equal recipes on equal images from equal initial weights are one training, wherever it runs (section 3.1)."""

    spec: DetectorSpec = field(default_factory=ssd300)
    augmentation: Augmentation = PAPER
    schedule: Schedule = field(default_factory=Schedule)
    batch_size: int = 32
    """Images in the global batch, regardless of the number of workers."""

    optimiser: Literal["sgd", "adamw"] = "sgd"
    """sgd is the paper's, with `momentum`; adamw is for networks that learn from scratch in few iterations."""

    momentum: float = 0.9
    weight_decay: float = 5e-4
    clip_norm: float = 0.0
    """Largest L2 norm of the gradient of all parameters together; a longer one is scaled down. 0, as in the paper:
    any."""

    ema_decay: float = 0.0
    """Decay of the exponential moving average of the weights, such as 0.9998; the result then holds the averages. 0, as
    in the paper: the last weights."""

    frozen_through: str = ""
    """Layer up to which, itself included, all parameters keep their initial values: conv2_2, layer1, or `backbone`."""

    accumulation: int = 1
    """Number of parts in which each worker computes its share of a batch, adding up the gradients: about as much less
    memory for the same training, up to rounding."""

    precision: Literal["fp32", "bf16"] = "fp32"
    """Precision of the forward pass; the loss is always fp32."""

    compiled: bool = False
    """Compile the network with torch.compile, which takes a minute and then trains faster on a GPU, with other
    rounding. Where its gradients differ by more than rounding, the training goes on uncompiled, with a warning."""

    train_difficult: bool = True
    """Train on objects marked difficult, as the released VOC script does; evaluation ignores them."""

    normaliser: Literal["global", "local"] = "global"
    """N of the loss: the default boxes matched in the global batch (the original on one GPU), or in each worker's
    share, with gradients averaged (the original on several GPUs)."""

    local_workers: int = 4
    """Number of workers that a local normaliser is defined for; the original had four GPUs."""

    seed: int = 0
    """Seed of the initial weights, the order of the images and their augmentation."""

    keep_every: int = 0
    """Keep the checkpoints at multiples of this iteration in the result (for validation); 0 keeps none."""

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, but is {self.batch_size}")
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum must be at least 0 and below 1, but is {self.momentum}")
        for name, value in (("weight_decay", self.weight_decay), ("clip_norm", self.clip_norm)):
            if not (isfinite(value) and value >= 0):
                raise ValueError(f"{name} must be a number of at least 0, but is {value}")
        if not 0 <= self.ema_decay < 1:
            raise ValueError(f"ema_decay must be at least 0 and below 1, but is {self.ema_decay}")
        if not 1 <= self.accumulation <= self.batch_size:
            raise ValueError(
                f"accumulation splits a batch of {self.batch_size} images: it must be from 1 to {self.batch_size}, "
                f"but is {self.accumulation}"
            )
