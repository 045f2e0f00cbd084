"""Import of weights from other programs: one importer for all layouts.

Detects the layout by tensor names, SSD300 or SSD512 by the number of heads, and the classes by the number of outputs;
checks every tensor against the specified network; reorders locations and classes. Preprocessing, clipping and sizes of
the default boxes come from the layout.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import IO

import torch
from torch import Tensor

from ssd_core.network.model import parameter_shapes
from ssd_core.spec.detector import DetectorSpec
from ssd_core.spec.paper import ssd300, ssd512
from ssd_core.spec.vocabularies import COCO_CLASSES, VOC_CLASSES
from ssd_core.weights.head_transfer import select_channels
from ssd_core.weights.layouts.known import LAYOUTS, layout_of
from ssd_core.weights.layouts.layout import AUTODETECT, ImportChoices, Layout
from ssd_core.weights.named_tensors import read_named_tensors
from ssd_core.weights.weights import Weights

_SHOWN = 8  # tensors listed in a message


def import_weights(stream: IO[bytes], choices: ImportChoices = AUTODETECT) -> Weights:
    """Import a detector from a file of any layout. Raises ValueError that lists misfit tensors, with both shapes."""
    return weights_from(read_named_tensors(stream), choices)


def weights_from(tensors: Mapping[str, Tensor], choices: ImportChoices) -> Weights:
    """Import a detector from tensors under their names in the layout."""
    layout = LAYOUTS[choices.layout] if choices.layout else layout_of(tensors)
    maps = _maps(layout, tensors)
    outputs = _outputs(layout, maps, tensors)
    spec = _specification(layout, maps, outputs, choices)
    return Weights(spec=spec, state=_state(layout, spec, outputs, tensors))


def _maps(layout: Layout, tensors: Mapping[str, Tensor]) -> int:
    """Number of sources: 7 for SSD512, else 6."""
    return 7 if _weight(layout, layout.layers(7)[-1]) in tensors else 6


def _outputs(layout: Layout, maps: int, tensors: Mapping[str, Tensor]) -> int:
    """Number of outputs per box, from the first score layer, which has four boxes per cell."""
    name = _weight(layout, layout.layers(maps)[-maps])
    if name not in tensors:
        raise ValueError(f"not a detector in the layout of {layout.name}: it lacks {name}")
    channels = len(tensors[name]) if tensors[name].dim() else 0
    if not channels or channels % 4:
        raise ValueError(f"{name} has {channels} channels, which four boxes per cell do not divide")
    return channels // 4


def _specification(layout: Layout, maps: int, outputs: int, choices: ImportChoices) -> DetectorSpec:
    classes = choices.classes or _usual_classes(layout, outputs)
    if 1 + len(classes) != outputs and len(layout.rows.get(outputs, ())) != 1 + len(classes):
        raise ValueError(
            f"the file has {outputs} outputs per box including background, but {len(classes)} classes were given"
        )
    flavour = choices.scales or layout.scales or ("coco" if len(classes) == len(COCO_CLASSES) else "voc")
    make = {6: ssd300, 7: ssd512}[maps]
    spec = layout.as_trained(make(classes, scales=flavour))
    return spec if choices.clip_boxes is None else replace(spec, clip_boxes=choices.clip_boxes, clip_sizes=False)


def _usual_classes(layout: Layout, outputs: int) -> tuple[str, ...]:
    named = len(layout.rows.get(outputs, range(outputs)))
    for classes in (VOC_CLASSES, COCO_CLASSES):
        if named == 1 + len(classes):
            return classes
    raise ValueError(
        f"the file has {outputs} outputs per box including background: neither VOC's 21 nor COCO's 81; "
        "name its classes (--classes FILE, one per line, in the order of the outputs, without background; "
        "for --init of a training, write a file with `ssdpipe weights import` first)"
    )


def _state(layout: Layout, spec: DetectorSpec, outputs: int, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    expected = parameter_shapes(spec)
    names = tensor_names(layout, spec)
    state, wrong = {}, []
    for ours, theirs in names.items():
        if theirs not in tensors:
            wrong.append(f"{theirs} is missing")
            continue
        tensor = _in_our_order(ours, tensors[theirs], layout, spec, outputs)
        if tensor.shape != expected[ours]:
            wrong.append(f"{theirs} is {tuple(tensor.shape)}, but {ours} needs {tuple(expected[ours])}")
            continue
        state[ours] = tensor.to(torch.float32).clone()
    wrong += [f"{name} is unexpected" for name in tensors if name not in set(names.values())]
    if wrong:
        more = f"; and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise ValueError(
            f"the tensors do not fit an SSD{spec.input_size} of {layout.name} with {outputs} outputs: "
            f"{'; '.join(wrong[:_SHOWN])}{more}"
        )
    return state


def tensor_names(layout: Layout, spec: DetectorSpec) -> dict[str, str]:
    """Map this project's name of every tensor to that in the layout."""
    names = {"l2_norm.scale": layout.l2_norm}
    for ours, theirs in zip(_our_layers(spec), layout.layers(len(spec.sources)), strict=True):
        names |= {f"{ours}.weight": _weight(layout, theirs)}
        names |= {f"{ours}.bias": f"{theirs}{layout.separator}{layout.bias}"}
    return names


def _our_layers(spec: DetectorSpec) -> Iterator[str]:
    """Yield this project's convolutions in the order of `Layout.layers`."""
    names = [name.removesuffix(".weight") for name in parameter_shapes(spec) if name.endswith(".weight")]
    yield from (name for name in names if name.startswith("features."))
    for part in ("locations", "logits"):
        yield from (f"heads.{source.layer}.{part}" for source in spec.sources)


def _weight(layout: Layout, layer: str) -> str:
    return f"{layer}{layout.separator}{layout.weight}"


def _in_our_order(ours: str, tensor: Tensor, layout: Layout, spec: DetectorSpec, outputs: int) -> Tensor:
    """Reorder or select the channels of a head, box by box: four per location, or one per class output."""
    if not tensor.dim():
        return tensor
    if ".locations." in ours and len(tensor) % 4 == 0:
        return select_channels(tensor, 4, layout.location_order)
    if ".logits." in ours and outputs != spec.class_count and len(tensor) % outputs == 0:
        return select_channels(tensor, outputs, layout.rows[outputs])
    return tensor
