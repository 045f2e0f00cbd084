"""Initial weights of a training: random ones from a seed, overwritten by those of a file where they fit.

Preprocessing travels with weights: a training that starts from a file adopts the preprocessing of its weights.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from ssd_core.network.model import Detector
from ssd_core.spec.detector import DetectorSpec
from ssd_core.weights.weights import Weights


def initial_detector(spec: DetectorSpec, seed: int, initial: Weights | None = None) -> Detector:
    """Return a detector with random weights from the seed, overwritten by `initial`.

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
        "use the specification of the weights, or train from scratch (--init scratch)"
    )
