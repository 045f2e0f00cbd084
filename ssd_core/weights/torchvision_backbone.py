"""Tensors of a backbone of torchvision under the names of `Detector`, and the preprocessing that they require.

Tested in tests/ssd_core/backbones/test_backbone.py.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from ssd_core.backbones.backbone import Backbone


def backbone_state(
    tensors: Mapping[str, Tensor], backbone: Backbone, *, title: str, prefix: str = ""
) -> dict[str, Tensor]:
    """Return the tensors of the backbone's layers, whose names in the file begin with `prefix`.

    Raises ValueError if one is missing or misshapen.
    """
    with torch.device("meta"):
        parts = backbone.parts(norm_groups=0)
        states = {layer: part.state_dict() for layer, part in parts.items()}
    return {
        f"features.{layer}.{name}": _checked(tensors, prefix + name, tensor.shape, title).clone()
        for layer, state in states.items()
        for name, tensor in state.items()
    }


def _checked(tensors: Mapping[str, Tensor], name: str, shape: torch.Size, title: str) -> Tensor:
    if name not in tensors or tensors[name].shape != shape:
        actual = tuple(tensors[name].shape) if name in tensors else "missing"
        raise ValueError(f"not the weights of a {title}: {name} should be {tuple(shape)}, but is {actual}")
    return tensors[name]
