"""The layers of a detector: its backbone and the extra layers, up to the last source.

Tested in tests/ssd_core/network/test_network_cost.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from ssd_core.backbones.blueprint import Blueprint, Conv
from ssd_core.spec.detector import DetectorSpec, ExtraLayer

Part = TypeVar("Part")


def feature_blueprint(spec: DetectorSpec) -> dict[str, Blueprint] | None:
    """Return the layers that lead to each map; None if the backbone has no blueprint."""
    backbone = spec.backbone.blueprint()
    return None if backbone is None else up_to_last_source(spec, {**backbone, **extra_blueprints(spec)})


def extra_blueprints(spec: DetectorSpec) -> dict[str, Blueprint]:
    """Return the layers that lead to each map above the backbone."""
    *_, channels = spec.backbone.widths().values()
    blueprints = {}
    for extra in spec.extras:
        blueprints[extra.name] = _extra(extra, channels)
        channels = extra.channels
    return blueprints


def up_to_last_source(spec: DetectorSpec, parts: Mapping[str, Part]) -> dict[str, Part]:
    """Return the parts up to the last source; later layers are not built."""
    last = max(list(parts).index(source.layer) for source in spec.sources)
    return dict(list(parts.items())[: last + 1])


def layer_widths(spec: DetectorSpec) -> dict[str, int]:
    """Return the number of channels of every possible source map."""
    extras = {extra.name: extra.channels for extra in spec.extras}
    return spec.backbone.widths() | extras


def _extra(extra: ExtraLayer, channels_in: int) -> Blueprint:
    """Return the two convolutions of an extra layer, named conv8_1 and conv8_2 for conv8_2."""
    squeeze = Conv(
        name=extra.name.removesuffix("_2") + "_1", channels_in=channels_in, channels=extra.squeeze, kernel=1, padding=0
    )
    spread = Conv(
        name=extra.name,
        channels_in=extra.squeeze,
        channels=extra.channels,
        kernel=extra.kernel,
        stride=extra.stride,
        padding=extra.padding,
    )
    return squeeze, spread
