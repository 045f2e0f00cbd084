"""Which layers a detector has: those of its backbone and the extra ones, up to the last map that predicts.

Tested in tests/ssd_core/network/test_network_cost.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from ssd_core.backbones.blueprint import Blueprint, Conv
from ssd_core.spec.detector import DetectorSpec, ExtraLayer

Part = TypeVar("Part")


def feature_blueprint(spec: DetectorSpec) -> dict[str, Blueprint] | None:
    """The layers that lead to each map; None where only the modules of the backbone say them."""
    backbone = spec.backbone.blueprint()
    return None if backbone is None else that_predict(spec, {**backbone, **extra_blueprints(spec)})


def extra_blueprints(spec: DetectorSpec) -> dict[str, Blueprint]:
    """The layers of each map above the backbone."""
    *_, channels = spec.backbone.widths().values()
    blueprints = {}
    for extra in spec.extras:
        blueprints[extra.name] = _extra(extra, channels)
        channels = extra.channels
    return blueprints


def that_predict(spec: DetectorSpec, parts: Mapping[str, Part]) -> dict[str, Part]:
    """The parts up to the last source map; layers above it are not built."""
    last = max(list(parts).index(source.layer) for source in spec.sources)
    return dict(list(parts.items())[: last + 1])


def layer_widths(spec: DetectorSpec) -> dict[str, int]:
    """Channels of every possible source map."""
    extras = {extra.name: extra.channels for extra in spec.extras}
    return spec.backbone.widths() | extras


def _extra(extra: ExtraLayer, channels_in: int) -> Blueprint:
    """The pair of convolutions of one map above conv7, named conv8_1 and conv8_2 for conv8_2."""
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
