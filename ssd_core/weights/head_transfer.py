"""Reduction of a detector to a subset of its classes without training: COCO to VOC.

Each box keeps its background output and those of the classes that map to a new one; locations and scales are
unchanged. Source: examples/convert_model.ipynb and data/VOC0712/coco_voc_map.txt of weiliu89/caffe.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor

from ssd_core.weights.weights import Weights


def transferred(weights: Weights, classes: tuple[str, ...], new_name: Mapping[str, str]) -> Weights:
    """Return the weights for these classes, in this order; `new_name` maps old class names to new ones.

    Raises ValueError if no class of the weights maps to one of `classes`.
    """
    old = {new_name[name]: place for place, name in enumerate(weights.spec.classes) if name in new_name}
    if missing := [name for name in classes if name not in old]:
        raise ValueError(
            f"the weights have no class for {', '.join(missing)}; they have {', '.join(weights.spec.classes)}"
        )
    outputs = (0, *(1 + old[name] for name in classes))
    count = weights.spec.class_count
    state = {
        name: select_channels(tensor, count, outputs) if ".logits." in name else tensor
        for name, tensor in weights.state.items()
    }
    return Weights(spec=replace(weights.spec, classes=classes), state=state)


def select_channels(tensor: Tensor, per_box: int, chosen: tuple[int, ...]) -> Tensor:
    """Select the chosen channels of each box, in that order; `tensor` is (boxes * per_box, ...)."""
    return tensor.reshape(-1, per_box, *tensor.shape[1:])[:, list(chosen)].flatten(0, 1)
