"""amdegroot/ssd.pytorch (ssd.py, data/config.py): RGB minus Caffe's means, default boxes clamped. SSD300 only.

Tested in tests/ssd_core/weights/test_importing.py.
"""

from __future__ import annotations

from dataclasses import replace

from ssd_core.spec.detector import DetectorSpec, Preprocessing
from ssd_core.weights.layouts.layout import RGB_MEAN, VGG_PLACES, Layout


def _layers(maps: int) -> tuple[str, ...]:
    return (
        *(f"vgg.{place}" for place in (*VGG_PLACES, 31, 33)),
        *(f"extras.{place}" for place in range(2 * (maps - 2))),
        *(f"loc.{source}" for source in range(maps)),
        *(f"conf.{source}" for source in range(maps)),
    )


def _as_trained(spec: DetectorSpec) -> DetectorSpec:
    return replace(spec, preprocessing=Preprocessing(channel_order="rgb", mean=RGB_MEAN), clip_boxes=True)


LAYOUT = Layout(name="amdegroot", layers=_layers, l2_norm="L2Norm.weight", as_trained=_as_trained)
