"""What does another backbone change? Not in the paper: SSD300 on ResNet-50 beside SSD300 on VGG16, VOC 07+12.

Expect: fewer operations (7.5 instead of 31.4 billion multiply-adds) at an accuracy near that of VGG16. Fewer 3x3
convolutions at high resolution precede ResNet-50's first map, which should hurt small objects most.
Cost:   2 trainings at full length, 3.8 million images.
Run:    ssdpipe run backbone-resnet50 --preset tiny
Differs: the paper has no such experiment. Maps, boxes, extra layers and schedule are SSD300's; batch norm is frozen at
its ImageNet state. The small presets train from scratch, with GroupNorm in both networks.
"""

from __future__ import annotations

from dataclasses import replace

from experiments.framework.experiment import Experiment, Row
from experiments.framework.runs import RUNS
from ssd_core.spec.paper import with_resnet50
from ssd_core.spec.recipe import Recipe

BASE = RUNS["ssd300-voc0712"]


def on_resnet50(recipe: Recipe) -> Recipe:
    """The recipe with a ResNet-50; the setup then takes ResNet-50's initial weights."""
    return replace(recipe, spec=with_resnet50(recipe.spec))


experiment = Experiment(
    name="backbone-resnet50",
    question="What does another backbone change?",
    answers="no table of the paper",
    expects="a quarter of the operations at an accuracy near that of VGG16, with a loss on small objects",
    differs="not in the paper: SSD300's maps, boxes and schedule on ResNet-50 with frozen batch norm",
    row_title="backbone",
    rows=(
        Row(label="VGG16", run=BASE, published=None),
        Row(label="ResNet-50", run=BASE.varied("ssd300-resnet50-voc0712", on_resnet50), published=None),
    ),
)
