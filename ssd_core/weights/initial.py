"""First weights of a training: random ones from a seed, and over them those of a file, as far as they fit.

Preprocessing travels with weights: a training that starts from some takes over how their images were given.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from ssd_core.network.model import Detector
from ssd_core.spec.detector import DetectorSpec
from ssd_core.weights.weights import Weights


def first_detector(spec: DetectorSpec, seed: int, initial: Weights | None = None) -> Detector:
    """Random weights from the seed, and over them the initial ones.

    Heads of other shapes (another number of classes or boxes) stay random; any other tensor that does not fit
    raises ValueError with both shapes.
    """
    generator = torch.Generator().manual_seed(seed)
    if initial is None:
        return Detector(spec, generator)
    detector = Detector(replace(spec, preprocessing=initial.spec.preprocessing), generator)
    own = detector.state_dict()
    fitting = {name: tensor for name, tensor in initial.state.items() if name in own and _fits(name, tensor, own[name])}
    if not fitting:
        raise ValueError("the initial weights have no tensor in common with this detector")
    detector.load_state_dict(own | fitting)
    return detector


def _fits(name: str, tensor: torch.Tensor, own: torch.Tensor) -> bool:
    if tensor.shape == own.shape:
        return True
    if name.startswith("heads."):
        return False
    raise ValueError(
        f"initial weights do not fit: {name} is {tuple(tensor.shape)}, but the detector has {tuple(own.shape)}; "
        "train with the specification of the weights, or from scratch (--init scratch)"
    )
