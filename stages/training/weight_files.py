"""Names of the weights files in the result of a stage."""

from __future__ import annotations

WEIGHTS = "weights.pt"


def kept_weights(step: int) -> str:
    """Name of the weights file of a checkpoint that the recipe keeps after `step` steps."""
    return f"checkpoints/weights-{step:09d}.pt"
