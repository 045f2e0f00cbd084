"""Averaged weights, accumulated and clipped gradients, frozen layers: settings that the paper does not have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

from ssd_core.backbones.backbone import ResNet50
from ssd_core.network.model import Detector
from ssd_core.spec.augmentation import STARRED
from ssd_core.spec.detector import DetectorSpec
from ssd_core.spec.recipe import Recipe
from ssd_core.spec.schedule import Schedule
from ssd_core.training.checkpoint import CheckpointFolder
from ssd_core.training.freezing import freeze
from ssd_core.weights.initial import initial_detector

Together = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def recipe(small_spec: DetectorSpec) -> Recipe:
    schedule = Schedule(iterations=8, base_lr=1e-3, drops=())
    return Recipe(spec=small_spec, augmentation=STARRED, schedule=schedule, batch_size=4, seed=3)


def steady(recipe: Recipe) -> Recipe:
    """Twenty steps in which rounding does not grow, with batches that do not divide by two."""
    schedule = Schedule(iterations=20, base_lr=2e-5, drops=(15,))
    return replace(recipe, batch_size=5, schedule=schedule)


@pytest.mark.parametrize("parts", [2, 5])
def test_a_batch_in_parts_has_the_loss_of_the_whole_batch_over_twenty_steps(
    recipe: Recipe, small_shards: str, training_process: ModuleType, tmp_path: Path, parts: int
) -> None:
    whole = training_process.train(steady(recipe), small_shards, str(tmp_path / "whole"))
    accumulated = replace(steady(recipe), accumulation=parts)
    divided = training_process.train(accumulated, small_shards, str(tmp_path / "divided"))
    assert divided["losses"] == pytest.approx(whole["losses"], rel=1e-5)
    assert divided["losses"] != whole["losses"]  # the parts were computed one by one
    assert whole["losses"][20] != pytest.approx(whole["losses"][1], rel=1e-3)


def test_two_workers_with_accumulated_clipped_and_averaged_steps_train_as_one(
    recipe: Recipe, small_shards: str, training_process: ModuleType, train_together: Together, tmp_path: Path
) -> None:
    changed = replace(steady(recipe), accumulation=2, clip_norm=5.0, ema_decay=0.9)
    alone = training_process.train(changed, small_shards, str(tmp_path / "alone"))
    first, second = train_together(recipe=changed, shards=small_shards, folder=str(tmp_path / "together"))
    assert first["losses"] == pytest.approx(alone["losses"], rel=1e-5)
    for name, tensor in first["state"].items():
        assert torch.equal(tensor, second["state"][name])
    ends = [CheckpointFolder(path=str(tmp_path / name)).weights(20) for name in ("alone", "together")]
    torch.testing.assert_close(*ends, rtol=1e-3, atol=1e-4)


def test_the_averages_are_those_of_a_loop_over_the_weights_of_every_step(
    recipe: Recipe, small_shards: str, training_process: ModuleType, tmp_path: Path
) -> None:
    averaged = replace(recipe, ema_decay=0.3, keep_every=1)
    training_process.train(averaged, small_shards, str(tmp_path))
    folder = CheckpointFolder(path=str(tmp_path))
    expected = initial_detector(recipe.spec, recipe.seed).state_dict()
    for step in range(1, 9):
        decay = [2 / 11, 3 / 12, 0.3][min(step, 3) - 1]
        weights = folder.read(step)["model"]
        expected = {name: decay * expected[name] + (1 - decay) * weights[name] for name in weights}
        torch.testing.assert_close(folder.weights(step), expected, rtol=1e-5, atol=1e-6)
    assert not torch.equal(folder.weights(8)["heads.conv7.logits.weight"], weights["heads.conv7.logits.weight"])


def test_averaging_changes_no_step_of_the_training(
    recipe: Recipe, small_shards: str, training_process: ModuleType, tmp_path: Path
) -> None:
    plain = training_process.train(recipe, small_shards, str(tmp_path / "plain"))
    averaged = training_process.train(replace(recipe, ema_decay=0.99), small_shards, str(tmp_path / "averaged"))
    assert_same(averaged["state"], plain["state"])
    assert_same(CheckpointFolder(path=str(tmp_path / "plain")).weights(8), plain["state"])


def test_a_stopped_training_with_averages_resumes_to_bitwise_the_same_averages(
    recipe: Recipe, small_shards: str, training_process: ModuleType, tmp_path: Path
) -> None:
    averaged = replace(recipe, ema_decay=0.9, clip_norm=1.0, accumulation=2)
    folders = [str(tmp_path / name) for name in ("undisturbed", "stopped")]
    training_process.train(averaged, small_shards, folders[0])
    with pytest.raises(training_process.StoppedError):
        training_process.train(averaged, small_shards, folders[1], pace={"checkpoint_steps": 3}, stop_before=5)
    assert training_process.train(averaged, small_shards, folders[1])["started"] == 3
    assert_same(*(CheckpointFolder(path=folder).weights(8) for folder in folders))


def test_a_gradient_longer_than_the_limit_is_scaled_down_to_it(
    recipe: Recipe, small_shards: str, training_process: ModuleType, tmp_path: Path
) -> None:
    """Without momentum, decay and the doubled rate of biases, a step is the learning rate times the gradient."""
    once = replace(recipe, schedule=Schedule(iterations=1, base_lr=1e-2, drops=()), momentum=0.0, weight_decay=0.0)
    free = length_of_step(once, small_shards, training_process, tmp_path / "free")
    assert free > 2
    clipped = replace(once, clip_norm=0.5)
    assert length_of_step(clipped, small_shards, training_process, tmp_path / "clipped") == pytest.approx(0.5, rel=1e-3)
    loose = replace(once, clip_norm=free * 2)
    assert length_of_step(loose, small_shards, training_process, tmp_path / "loose") == pytest.approx(free, rel=1e-6)


def length_of_step(recipe: Recipe, shards: str, training_process: ModuleType, folder: Path) -> float:
    before = initial_detector(recipe.spec, recipe.seed).state_dict()
    after = training_process.train(recipe, shards, str(folder))["state"]
    rate = recipe.schedule.base_lr
    steps = {name: (before[name] - after[name]) / rate for name in before}
    squares = [
        (step / (2 if name.endswith("bias") and ".norm." not in name else 1)).square().sum()
        for name, step in steps.items()
    ]
    return float(torch.stack(squares).sum().sqrt())


def test_frozen_layers_keep_their_initial_weights_bitwise_and_all_others_learn(
    recipe: Recipe, small_shards: str, training_process: ModuleType, tmp_path: Path
) -> None:
    frozen = replace(recipe, frozen_through="conv2_1", ema_decay=0.9)
    training_process.train(frozen, small_shards, str(tmp_path))
    before, after = initial_detector(recipe.spec, recipe.seed).state_dict(), CheckpointFolder(path=str(tmp_path))
    kept = {name for name, tensor in after.read(8)["model"].items() if torch.equal(tensor, before[name])}
    assert {name.split(".")[2] for name in kept} == {"conv1_1", "conv1_2", "conv2_1"}
    assert kept == {name for name, tensor in after.weights(8).items() if torch.equal(tensor, before[name])}
    assert {name.rpartition(".")[2] for name in kept} == {"weight", "bias"}


@pytest.mark.parametrize(
    ("through", "last", "next_layer"),
    [
        ("layer1", "features.layer2.layer1.2", "features.layer2.layer2.0"),
        ("layer2.0", "features.layer2.layer2.0", "features.layer2.layer2.1"),
        ("layer2", "features.layer2.layer2.3", "features.layer3.layer3.0"),
        ("backbone", "features.layer3.layer3.5", "features.conv8_2.conv8_1"),
        ("conv8_2", "features.conv8_2.conv8_2", "heads"),
    ],
)
def test_freezing_stops_after_the_layer_block_map_or_backbone_that_is_named(
    narrow_spec: DetectorSpec, through: str, last: str, next_layer: str
) -> None:
    detector = Detector(on_resnet(narrow_spec))
    freeze(detector, through)
    learns = {name: parameter.requires_grad for name, parameter in detector.named_parameters()}
    assert not any(learns[name] for name in learns if name.startswith(f"{last}."))
    assert all(learns[name] for name in learns if name.startswith(f"{next_layer}."))
    switches = sum(one != other for one, other in zip(list(learns.values()), list(learns.values())[1:], strict=False))
    assert switches == 1


def on_resnet(spec: DetectorSpec) -> DetectorSpec:
    replacing = {"conv4_3": "layer2", "conv7": "layer3"}
    sources = tuple(replace(source, layer=replacing.get(source.layer, source.layer)) for source in spec.sources)
    return replace(spec, backbone=ResNet50(width=8), sources=sources)


def test_a_layer_that_does_not_exist_is_refused_with_the_names_of_all(small_spec: DetectorSpec) -> None:
    with pytest.raises(
        ValueError, match="frozen_through=conv3_4: there is no such layer, only backbone, conv4_3, conv7, "
    ):
        freeze(Detector(small_spec), "conv3_4")


def assert_same(state: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert state.keys() == other.keys()
    assert [name for name in state if not torch.equal(state[name], other[name])] == []
