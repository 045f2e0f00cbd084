"""A detector of many classes to one of some of them, without training: COCO to VOC.

Each box keeps its background and the outputs of the classes that have a name among the new ones; locations and
scales stay as they are. Source: examples/convert_model.ipynb and data/VOC0712/coco_voc_map.txt of weiliu89/caffe.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor

from ssd_core.weights.weights import Weights


def transferred(weights: Weights, classes: tuple[str, ...], new_name: Mapping[str, str]) -> Weights:
    """The weights with these classes, in their order; `new_name` of an old class, where it has one.

    Raises ValueError when a class is no class of the weights under its new name.
    """
    old = {new_name[name]: place for place, name in enumerate(weights.spec.classes) if name in new_name}
    if missing := [name for name in classes if name not in old]:
        raise ValueError(
            f"the weights have no class for {', '.join(missing)}; theirs are {', '.join(weights.spec.classes)}"
        )
    outputs = (0, *(1 + old[name] for name in classes))
    count = weights.spec.class_count
    state = {
        name: select_channels(tensor, count, outputs) if ".logits." in name else tensor
        for name, tensor in weights.state.items()
    }
    return Weights(spec=replace(weights.spec, classes=classes), state=state)


def select_channels(tensor: Tensor, per_box: int, chosen: tuple[int, ...]) -> Tensor:
    """Of each box's channels (boxes * per_box, ...) the chosen ones, in that order."""
    return tensor.reshape(-1, per_box, *tensor.shape[1:])[:, list(chosen)].flatten(0, 1)
