"""Layers whose parameters a training keeps at their initial values: all up to a named one.

Tested in tests/ssd_core/training/test_practice.py.
"""

from __future__ import annotations

from ssd_core.network.model import Detector

BACKBONE = "backbone"


def freeze(detector: Detector, through: str) -> None:
    """Exclude the parameters of all layers up to `through`, itself included, from training; none for "".

    `through` is a layer such as conv2_2 or layer1, a map, or `backbone`; the heads are always trained.
    Raises ValueError that lists the layers if there is none of that name.
    """
    if not through:
        return
    last = list(detector.spec.backbone.widths())[-1] if through == BACKBONE else through
    layers = [
        (part, name, module)
        for part, layer in detector.features.items()
        for name, module in layer.named_modules()
        if next(module.parameters(recurse=False), None) is not None
    ]
    places = [
        place for place, (part, name, _) in enumerate(layers) if part == last or f"{name}.".startswith(f"{last}.")
    ]
    if not places:
        names = dict.fromkeys([BACKBONE, *detector.features, *(name.partition(".")[0] for _, name, _ in layers)])
        raise ValueError(f"frozen_through={through}: there is no such layer, only {', '.join(names)}")
    for _, _, module in layers[: places[-1] + 1]:
        module.requires_grad_(False)
