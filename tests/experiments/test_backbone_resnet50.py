"""ResNet-50 beside VGG16: what the two rows share, and what depends on the backbone."""

from __future__ import annotations

import pytest

from experiments.backbone_resnet50 import experiment
from experiments.framework.presets import Preset
from experiments.framework.runs import PresetName
from pipeline.planning.graph import Graph
from ssd_core.backbones.backbone import ResNet50, Vgg16
from stages.training.imagenet_resnet50 import ImageNetResNet50
from stages.training.imagenet_vgg16 import ImageNetVgg16
from stages.training.train import Train


def trainings(preset: PresetName) -> list[Train]:
    graph = Graph([experiment.table(Preset(name=preset))])
    return [node.stage for node in graph.nodes.values() if isinstance(node.stage, Train)]


@pytest.mark.parametrize(("preset", "width"), [("full", 64), ("short", 64), ("tiny", 8), ("narrow", 8)])
def test_both_rows_have_the_same_boxes_images_and_schedule_at_every_preset(preset: PresetName, width: int) -> None:
    trained = trainings(preset)
    vgg16, resnet50 = (training.recipe for training in trained)
    assert isinstance(vgg16.spec.backbone, Vgg16)
    assert resnet50.spec.backbone == ResNet50(width=width)
    assert vgg16.spec.box_count == resnet50.spec.box_count
    assert trained[0].shards == trained[1].shards
    assert (vgg16.schedule, vgg16.batch_size) == (resnet50.schedule, resnet50.batch_size)


def test_at_full_each_starts_from_its_own_imagenet_weights() -> None:
    vgg16, resnet50 = trainings("full")
    assert isinstance(vgg16.initial, ImageNetVgg16)
    assert resnet50.initial == ImageNetResNet50(variant="imagenet-resnet50")


def test_from_scratch_both_have_group_norm_and_no_initial_weights() -> None:
    for training in trainings("tiny"):
        assert training.initial is None
        assert training.recipe.spec.norm_groups == 8
