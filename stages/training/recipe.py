"""A recipe: settings of a training, and the stages that give it images and first weights.

Two equal recipes are one training. The defaults are the paper's SSD300 on VOC 07+12.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.stage import Stage
from ssd_core.spec.training import TrainingSettings


@dataclass(frozen=True, kw_only=True)
class Recipe(TrainingSettings):
    """What is trained, on what, from where."""

    data: Stage
    """Shards to train on."""

    initial: Stage | None = None
    """Stage whose `weights.pt` the training starts from; None starts from scratch (random weights)."""
