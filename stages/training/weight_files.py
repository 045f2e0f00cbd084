"""Names of the files of weights in the result of a stage."""

from __future__ import annotations

WEIGHTS = "weights.pt"


def kept_weights(step: int) -> str:
    """Name of the weights after `step` steps, where the recipe keeps them."""
    return f"checkpoints/weights-{step:09d}.pt"
