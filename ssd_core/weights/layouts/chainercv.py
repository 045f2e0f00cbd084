"""chainercv (chainercv/links/model/ssd): RGB minus Caffe's means, boxes not clipped, locations as (cy, cx, h, w).

Its sizes for SSD512 are not truncated. Its normalisation of conv4_3 adds 1e-5 to the length of the vector, ours 1e-10
to the square: equal in float32 for lengths of 100 or more. Background is output 0 here too.

Tested in tests/ssd_core/weights/test_importing.py.
"""

from __future__ import annotations

from dataclasses import replace

from ssd_core.spec.detector import DetectorSpec, Preprocessing
from ssd_core.weights.layouts.layout import RGB_MEAN, Layout

_DEPTHS = (2, 2, 3, 3, 3)  # convolutions of the blocks conv1 to conv5


def _layers(maps: int) -> tuple[str, ...]:
    vgg = [f"conv{block}_{layer + 1}" for block, depth in enumerate(_DEPTHS, start=1) for layer in range(depth)]
    extras = [f"conv{number}_{part}" for number in range(8, 6 + maps) for part in (1, 2)]
    return (
        *(f"extractor/{layer}" for layer in (*vgg, "conv6", "conv7", *extras)),
        *(f"multibox/loc/{source}" for source in range(maps)),
        *(f"multibox/conf/{source}" for source in range(maps)),
    )


def _as_trained(spec: DetectorSpec) -> DetectorSpec:
    return replace(spec, preprocessing=Preprocessing(channel_order="rgb", mean=RGB_MEAN))


LAYOUT = Layout(
    name="chainercv",
    layers=_layers,
    l2_norm="extractor/norm4/scale",
    weight="W",
    bias="b",
    separator="/",
    location_order=(1, 0, 3, 2),
    as_trained=_as_trained,
)
