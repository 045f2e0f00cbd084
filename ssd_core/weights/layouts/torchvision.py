"""torchvision's `ssd300_vgg16` (torchvision/models/detection/ssd.py).

Its mean is given in 0..1, and its standard deviation of 1/255 scales pixels back to 0..255. Default boxes are clamped
in width and height only. Its scales 0.07, 0.15 ... 1.05 are those of SSD300 for COCO, regardless of the data set. Of
its 91 outputs, one is background and ten are ids that COCO does not use; without these ten, whose scores training
drives to zero, the softmax runs over 81.
"""

from __future__ import annotations

from dataclasses import replace

from ssd_core.spec.detector import DetectorSpec, Preprocessing
from ssd_core.spec.vocabularies import COCO_CATEGORIES
from ssd_core.weights.layouts.layout import VGG_PLACES, Layout

PREPROCESSING = Preprocessing(channel_order="rgb", mean=(0.48235 * 255, 0.45882 * 255, 0.40784 * 255))

_CONV4_3 = 10  # number of convolutions up to conv4_3; indices of conv5 start at pool4, place 23
_POOL4 = 23


def _layers(maps: int) -> tuple[str, ...]:
    return (
        *(f"backbone.features.{place}" for place in VGG_PLACES[:_CONV4_3]),
        *(f"backbone.extra.0.{place - _POOL4}" for place in VGG_PLACES[_CONV4_3:]),
        "backbone.extra.0.7.1",
        "backbone.extra.0.7.3",
        *(f"backbone.extra.{block}.{place}" for block in range(1, maps - 1) for place in (0, 2)),
        *(f"head.regression_head.module_list.{source}" for source in range(maps)),
        *(f"head.classification_head.module_list.{source}" for source in range(maps)),
    )


def _as_trained(spec: DetectorSpec) -> DetectorSpec:
    return replace(spec, preprocessing=PREPROCESSING, clip_sizes=True)


LAYOUT = Layout(
    name="torchvision",
    layers=_layers,
    l2_norm="backbone.scale_weight",
    as_trained=_as_trained,
    scales="coco",
    rows={91: (0, *COCO_CATEGORIES)},
)
