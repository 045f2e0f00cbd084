"""Refuse, before anything starts, a training that would freeze layers which do not exist or are random.

Tested in tests/experiments/cli/requests/test_training.py.
"""

from __future__ import annotations

from pipeline.errors import PipelineError
from pipeline.stage import Stage
from ssd_core.spec.recipe import Recipe


def require_frozen_layers(recipe: Recipe, initial: Stage | None) -> None:
    """Raises PipelineError when `frozen_through` names no layer, or there are no weights to keep."""
    import torch

    from ssd_core.network.model import Detector
    from ssd_core.training.freezing import freeze

    if initial is None:
        raise PipelineError(
            f"frozen_through={recipe.frozen_through} would keep random weights, since this training starts from "
            "scratch: name weights with --init imagenet or --init FILE"
        )
    try:
        with torch.device("meta"):
            freeze(Detector(recipe.spec), recipe.frozen_through)
    except ValueError as error:
        raise PipelineError(str(error)) from error
