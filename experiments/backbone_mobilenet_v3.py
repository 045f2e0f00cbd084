"""What does a backbone for phones change? Not in the paper: SSD300 on MobileNetV3 beside SSD300 on VGG16, VOC 07+12.

Expect: a twenty-fifth of the operations (1.2 instead of 31.4 billion multiply-adds) at a clearly lower accuracy, most
of all on small objects: the layers before the first map compute far fewer features.
Cost:   2 trainings at full length, 3.8 million images.
Run:    ssdpipe run backbone-mobilenet-v3 --preset tiny
Differs: the paper has no such experiment. Boxes, extra layers, heads and schedule are SSD300's, where MobileNetV3's own
detector (SSDLite) has separable ones; batch norm is frozen at its ImageNet state. The small presets train from scratch,
with GroupNorm in both networks, on a MobileNetV3 of half the width.
"""

from __future__ import annotations

from dataclasses import replace

from experiments.framework.experiment import Experiment, Row
from experiments.framework.runs import RUNS
from ssd_core.spec.paper import with_mobilenet_v3
from ssd_core.spec.recipe import Recipe

BASE = RUNS["ssd300-voc0712"]


def on_mobilenet_v3(recipe: Recipe) -> Recipe:
    """The recipe with a MobileNetV3; the setup then takes MobileNetV3's initial weights."""
    return replace(recipe, spec=with_mobilenet_v3(recipe.spec))


experiment = Experiment(
    name="backbone-mobilenet-v3",
    question="What does a backbone for phones change?",
    answers="no table of the paper",
    expects="a twenty-fifth of the operations at a clearly lower accuracy, most of all on small objects",
    differs="not in the paper: SSD300's boxes, heads and schedule on MobileNetV3 with frozen batch norm",
    row_title="backbone",
    rows=(
        Row(label="VGG16", run=BASE, published=None),
        Row(label="MobileNetV3", run=BASE.varied("ssd300-mobilenet-v3-voc0712", on_mobilenet_v3), published=None),
    ),
)
