"""Initial weights: from the seed, from another detector, from VGG16."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from ssd_core.network.model import Detector
from ssd_core.spec.detector import DetectorSpec, Preprocessing, Vgg16
from ssd_core.weights.initial import initial_detector
from ssd_core.weights.vgg import TORCHVISION, Vgg16Weights, from_vgg16
from ssd_core.weights.weights import Weights


def trained(spec: DetectorSpec) -> Weights:
    """Weights that no seed produces."""
    state = Detector(spec).state_dict()
    return Weights(spec=spec, state={name: torch.full_like(tensor, 0.25) for name, tensor in state.items()})


def test_random_weights_are_a_function_of_the_seed(small_spec: DetectorSpec):
    one, same, other = (initial_detector(small_spec, seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one["heads.conv7.logits.weight"], other["heads.conv7.logits.weight"])


def test_all_weights_of_an_equal_detector_are_adopted(small_spec: DetectorSpec):
    state = initial_detector(small_spec, 1, trained(small_spec)).state_dict()
    assert all((tensor == 0.25).all() for tensor in state.values())


def test_heads_for_another_number_of_classes_keep_their_random_weights(small_spec: DetectorSpec):
    three = replace(small_spec, classes=("cat", "dog", "cow"))
    state = initial_detector(three, 1, trained(small_spec)).state_dict()
    random = initial_detector(three, 1).state_dict()
    for name, tensor in state.items():
        fresh = "logits" in name
        assert torch.equal(tensor, random[name] if fresh else torch.full_like(tensor, 0.25)), name


def test_layers_that_only_one_of_them_has_are_ignored(small_spec: DetectorSpec):
    shorter = replace(small_spec, sources=small_spec.sources[:1])
    assert (initial_detector(shorter, 1, trained(small_spec)).state_dict()["l2_norm.scale"] == 0.25).all()
    state = initial_detector(small_spec, 1, trained(shorter)).state_dict()
    assert (state["heads.conv4_3.logits.weight"] == 0.25).all()
    assert not (state["heads.conv7.logits.weight"] == 0.25).any()


def test_preprocessing_comes_with_the_weights(small_spec: DetectorSpec):
    rgb = Preprocessing(channel_order="rgb", mean=(1.0, 2.0, 3.0))
    initial = trained(replace(small_spec, preprocessing=rgb))
    assert initial_detector(small_spec, 1, initial).spec == replace(small_spec, preprocessing=rgb)


def test_weights_of_vgg16_bring_torchvisions_preprocessing(small_spec: DetectorSpec):
    part = {name: tensor for name, tensor in trained(small_spec).state.items() if "conv1_1.conv" in name}
    vgg16 = from_vgg16(Vgg16Weights(state=part, preprocessing=TORCHVISION), small_spec)
    detector = initial_detector(small_spec, 1, vgg16)
    assert detector.spec.preprocessing == TORCHVISION
    assert (detector.state_dict()["features.conv4_3.conv1_1.conv.weight"] == 0.25).all()


def test_a_tensor_that_does_not_fit_is_named_with_both_shapes(small_spec: DetectorSpec):
    wide = replace(small_spec, backbone=Vgg16(channels=(32, 16, 32, 32, 32), fc_channels=32, dilation=1))
    with pytest.raises(
        ValueError, match=r"conv1_1\.conv\.weight is \(32, 3, 3, 3\), but the detector has \(16, 3, 3, 3\)"
    ):
        initial_detector(small_spec, 1, trained(wide))


def test_weights_without_a_common_tensor_are_refused(small_spec: DetectorSpec):
    with pytest.raises(ValueError, match="no tensor in common"):
        initial_detector(small_spec, 1, Weights(spec=small_spec, state={"other": torch.zeros(1)}))
