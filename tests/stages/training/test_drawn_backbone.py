"""The backbone that small detectors start from: a classifier of drawn objects."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from experiments.framework.presets import Preset
from experiments.framework.runs import RUNS
from ssd_core.backbones.backbone import Vgg16
from ssd_core.network.model import Detector
from ssd_core.spec.schedule import Schedule
from ssd_core.spec.tiny import ssd_tiny
from ssd_core.weights.initial import initial_detector
from ssd_core.weights.weights import load_weights
from stages.drawn.portraits import portraits, varied_batches
from stages.training.drawn_backbone import DrawnBackbone

SHORT = DrawnBackbone(images=24, test_images=12, batch_size=4, schedule=Schedule(iterations=2, base_lr=1e-3))


@pytest.fixture
def made(in_process):
    SHORT.run(ctx := in_process(SHORT))
    assert sorted(ctx.out.files()) == ["summary.json", "weights.pt"]
    with ctx.out.open_input("weights.pt") as stream:
        return ctx.out.read_json("summary.json"), load_weights(stream)


def test_the_result_is_the_backbone_and_its_accuracy_on_other_images(made) -> None:
    summary, weights = made
    assert 0 <= summary["accuracy"] <= 1
    assert not weights.detects
    assert all(name.startswith(("features.conv4_3.", "features.conv7.")) for name in weights.state)
    assert weights.spec.backbone == ssd_tiny(("any",)).backbone


def test_a_detector_starts_from_all_of_its_layers(made) -> None:
    _, weights = made
    spec = ssd_tiny(("cat", "dog"))
    started, random = initial_detector(spec, 0, weights).state_dict(), Detector(spec).state_dict()
    backbone = {name for name in random if name.startswith(("features.conv4_3.", "features.conv7."))}
    assert set(weights.state) == backbone
    assert all(torch.equal(started[name], weights.state[name]) for name in backbone)


def test_it_is_the_same_each_time(in_process, made) -> None:
    SHORT.run(ctx := in_process(SHORT, "again"))
    with ctx.out.open_input("weights.pt") as stream:
        again = load_weights(stream).state
    assert all(torch.equal(again[name], tensor) for name, tensor in made[1].state.items())


def test_all_rows_of_a_table_at_tiny_start_from_one_backbone_and_the_full_vgg16_from_its_own() -> None:
    preset = Preset(name="tiny")
    base = preset.setup(RUNS["ssd300-voc0712"]).initial
    assert isinstance(base, DrawnBackbone)
    assert preset.setup(RUNS["ssd300-voc0712"], seed=3).initial == base
    assert preset.setup(RUNS["ssd512-voc0712"]).initial == base
    full = preset.setup(RUNS["ssd300-full-vgg-voc0712"]).initial
    assert isinstance(full, DrawnBackbone)
    assert isinstance(full.backbone, Vgg16)
    assert full == replace(base, backbone=full.backbone)
    assert not full.backbone.reduced


def test_the_full_vgg16_is_trained_the_same_way(in_process) -> None:
    stage = replace(SHORT, backbone=Preset(name="tiny").setup(RUNS["ssd300-full-vgg-voc0712"]).recipe.spec.backbone)
    stage.run(ctx := in_process(stage))
    with ctx.out.open_input("weights.pt") as stream:
        assert load_weights(stream).state["features.conv7.conv6.conv.weight"].shape[2:] == (7, 7)


def test_images_of_a_stream_are_of_all_classes_in_turn_and_those_of_another_stream_differ() -> None:
    images, labels = portraits(14, 48, stream="training")
    assert images.shape == (14, 3, 48, 48)
    assert labels.tolist() == [*range(12), 0, 1]
    others, _ = portraits(14, 48, stream="test")
    assert not torch.equal(images, others)


def test_batches_keep_the_labels_of_their_images() -> None:
    images = torch.arange(5, dtype=torch.uint8)[:, None, None, None].expand(5, 3, 2, 2)
    batches = varied_batches((images, torch.arange(5)), 8)
    for _, (batch, labels) in zip(range(3), batches, strict=False):
        assert batch[:, 0, 0, 0].tolist() == labels.tolist()
