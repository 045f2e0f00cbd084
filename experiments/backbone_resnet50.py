"""What does another backbone change? Not in the paper: SSD300 on ResNet-50 beside SSD300 on VGG16, VOC 07+12.

Expect: fewer operations (7.5 of 31.4 billion multiply-adds) at an accuracy near that of VGG16. The first map of
ResNet-50 comes after fewer 3x3 convolutions that see single pixels, which should cost small objects most.
Cost:   2 trainings at full length, 3.8 million images.
Run:    ssdpipe run backbone-resnet50 --preset tiny
Differs: all of it is ours. Maps, boxes, extra layers and schedule are those of SSD300; batch norm is frozen as ImageNet
left it. Small presets train from scratch, where both networks have GroupNorm.
"""

from __future__ import annotations

from dataclasses import replace

from experiments.framework.experiment import Experiment, Row
from experiments.framework.runs import RUNS
from ssd_core.spec.paper import with_resnet50
from ssd_core.spec.recipe import Recipe

BASE = RUNS["ssd300-voc0712"]


def on_resnet50(recipe: Recipe) -> Recipe:
    """The training with another backbone; its first weights follow."""
    return replace(recipe, spec=with_resnet50(recipe.spec))


experiment = Experiment(
    name="backbone-resnet50",
    question="What does another backbone change?",
    answers="no table of the paper",
    expects="a quarter of the operations at an accuracy near that of VGG16, with a loss on small objects",
    differs="all of it is ours: SSD300's maps, boxes and schedule on ResNet-50 with frozen batch norm",
    row_title="backbone",
    rows=(
        Row(label="VGG16", run=BASE, published=None),
        Row(label="ResNet-50", run=BASE.varied("ssd300-resnet50-voc0712", on_resnet50), published=None),
    ),
)
