"""lufficc/SSD (ssd/modeling, configs/vgg_ssd*.yaml): RGB minus Caffe's means, default boxes clamped.

The last size of its SSD512 for VOC is 537.65; the released script has 537.6.

Tested in tests/ssd_core/weights/test_importing.py.
"""

from __future__ import annotations

from dataclasses import replace

from ssd_core.spec.detector import DetectorSpec, Preprocessing
from ssd_core.weights.layouts.layout import RGB_MEAN, VGG_PLACES, Layout


def _layers(maps: int) -> tuple[str, ...]:
    return (
        *(f"backbone.vgg.{place}" for place in (*VGG_PLACES, 31, 33)),
        *(f"backbone.extras.{place}" for place in range(2 * (maps - 2))),
        *(f"box_head.predictor.reg_headers.{source}" for source in range(maps)),
        *(f"box_head.predictor.cls_headers.{source}" for source in range(maps)),
    )


def _as_trained(spec: DetectorSpec) -> DetectorSpec:
    trained = replace(spec, preprocessing=Preprocessing(channel_order="rgb", mean=RGB_MEAN), clip_boxes=True)
    *others, last = trained.sources
    (scale,) = last.scales
    if scale.next_size != 537.6:
        return trained
    return replace(trained, sources=(*others, replace(last, scales=(replace(scale, next_size=537.65),))))


LAYOUT = Layout(name="lufficc", layers=_layers, l2_norm="backbone.l2_norm.weight", as_trained=_as_trained)
