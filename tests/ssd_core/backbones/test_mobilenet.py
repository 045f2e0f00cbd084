"""MobileNetV3 compared with torchvision's, its norms, and its weights files."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
import torch
from torch import nn
from torchvision.models import MobileNetV3 as TorchvisionMobileNetV3
from torchvision.models import mobilenet_v3_large, mobilenet_v3_small
from torchvision.models.mobilenetv3 import InvertedResidualConfig
from torchvision.ops import FrozenBatchNorm2d

from ssd_core.backbones.backbone import MobileNetV3
from ssd_core.network.model import Detector
from ssd_core.network.network_cost import network_cost
from ssd_core.spec.detector import DetectorSpec
from ssd_core.spec.paper import ssd300, ssd300_full_vgg, ssd512, with_mobilenet_v3
from ssd_core.spec.tiny import ssd_tiny
from ssd_core.training.optimiser import build_optimiser
from ssd_core.weights.any_weights import read_weights
from ssd_core.weights.initial import initial_detector
from ssd_core.weights.mobilenet import from_mobilenet_v3, mobilenet_v3_state


@pytest.fixture(scope="module")
def theirs() -> TorchvisionMobileNetV3:
    """torchvision's network with random weights and random batch norm statistics, as after a training."""
    torch.manual_seed(0)
    network = mobilenet_v3_large().eval()
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            for tensor in (layer.weight.data, layer.running_var):
                torch.nn.init.uniform_(tensor, 0.5, 1.5)
            for tensor in (layer.bias.data, layer.running_mean):
                torch.nn.init.normal_(tensor, std=0.1)
    return network


def test_it_computes_the_maps_of_torchvision_s(theirs: TorchvisionMobileNetV3) -> None:
    pixels = torch.randn(2, 3, 75, 75, generator=torch.Generator().manual_seed(1))
    parts = MobileNetV3().parts(norm_groups=0)
    state = mobilenet_v3_state(theirs.state_dict())
    for layer, part in parts.items():
        prefix = f"features.{layer}."
        part.load_state_dict({name.removeprefix(prefix): each for name, each in state.items() if prefix in name})
    with torch.no_grad():
        before7 = theirs.features[:7](pixels)
        before13 = theirs.features[7:13](before7)
        expected = theirs.features[7].block[0](before7), theirs.features[13].block[0](before13)
        expansion7 = parts["expansion7"](pixels)
        expansion13 = parts["expansion13"](expansion7)
    assert expansion7.shape == (2, 240, 10, 10)  # 75 -> 38 -> 19 -> 10 -> 5
    assert expansion13.shape == (2, 672, 5, 5)
    torch.testing.assert_close((expansion7, expansion13), expected)


@pytest.mark.parametrize("paper", [ssd300(), ssd512()])
def test_a_detector_on_it_has_the_same_maps_and_boxes(paper: DetectorSpec) -> None:
    spec = with_mobilenet_v3(paper)
    assert list(spec.cells().values()) == list(paper.cells().values())
    assert spec.box_count == paper.box_count
    assert network_cost(spec).multiply_adds < 0.06 * network_cost(paper).multiply_adds


@pytest.mark.parametrize("width", [0.1, 0.25, 0.5, 0.75, 1.0, 1.5])
def test_its_maps_are_as_wide_as_torchvision_s_of_the_same_factor(width: float) -> None:
    expected = [InvertedResidualConfig.adjust_channels(channels, width) for channels in (240, 672)]
    backbone = MobileNetV3(width=width)
    normed = [layer.num_channels for part in backbone.parts(norm_groups=8).values() for layer in part.modules()
              if isinstance(layer, nn.GroupNorm)]  # fmt: skip
    assert set(normed) == set(backbone.normed_widths().values())
    assert list(backbone.widths().values()) == expected
    image = torch.zeros(1, 3, 32, 32)
    for part, channels in zip(backbone.parts(norm_groups=8).values(), expected, strict=True):
        image = part(image)
        assert image.shape[1] == channels


def test_with_imagenet_weights_batch_norm_is_frozen_and_no_image_depends_on_others_in_its_batch() -> None:
    spec = _small(with_mobilenet_v3(ssd300()))
    detector = Detector(spec, torch.Generator().manual_seed(0)).train()
    assert not [layer for layer in detector.modules() if isinstance(layer, nn.BatchNorm2d)]
    frozen = [layer for layer in detector.modules() if isinstance(layer, FrozenBatchNorm2d)]
    assert {layer.eps for layer in frozen} == {1e-3}
    images = torch.randint(0, 256, (2, 3, 64, 64), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    before = {name: tensor.clone() for name, tensor in detector.named_buffers()}
    torch.testing.assert_close(detector(images)[1][:1], detector(images[:1])[1], rtol=1e-4, atol=1e-5)
    assert all(torch.equal(tensor, before[name]) for name, tensor in detector.named_buffers())
    build_optimiser(detector)  # knows a rate for every parameter


def test_from_scratch_group_norm_replaces_batch_norm_and_the_tiny_detector_gets_half_the_width() -> None:
    spec = with_mobilenet_v3(ssd_tiny(("cat", "dog")))
    detector = Detector(spec)
    assert not [layer for layer in detector.modules() if isinstance(layer, FrozenBatchNorm2d | nn.BatchNorm2d)]
    assert spec.backbone == MobileNetV3(width=0.5)
    locations, logits = detector(torch.zeros(1, 3, 130, 130))
    assert (locations.shape, logits.shape) == ((1, spec.box_count, 4), (1, spec.box_count, 3))


def test_a_width_that_is_not_positive_is_refused() -> None:
    with pytest.raises(ValueError, match="must be a number above 0, but is 0"):
        MobileNetV3(width=0)


def test_a_file_of_torchvision_s_is_recognised_and_starts_a_detector(theirs: TorchvisionMobileNetV3) -> None:
    file = io.BytesIO()
    torch.save(theirs.state_dict(), file)
    file.seek(0)
    weights = read_weights(file)
    assert weights.spec.preprocessing.std == (58.395, 57.12, 57.375)
    started = initial_detector(with_mobilenet_v3(ssd300(("cat",))), seed=0, initial=weights).state_dict()
    assert torch.equal(
        started["features.expansion13.13.block.0.0.weight"], theirs.state_dict()["features.13.block.0.0.weight"]
    )
    left = {name.split(".")[1] for name in started if name not in weights.state and name.startswith("features")}
    assert left == {"conv8_2", "conv9_2", "conv10_2", "conv11_2"}


def test_the_small_variant_is_refused_with_the_tensor_that_does_not_fit() -> None:
    with pytest.raises(ValueError, match=r"not the weights of a MobileNetV3-Large: features\.1\.block"):
        from_mobilenet_v3(mobilenet_v3_small().state_dict())


def test_only_a_reduced_vgg16_is_replaced() -> None:
    with pytest.raises(ValueError, match="only a reduced VGG16 can be replaced by MobileNetV3"):
        with_mobilenet_v3(ssd300_full_vgg())


def _small(spec: DetectorSpec) -> DetectorSpec:
    """Return the detector at input 64, with two maps of 8 and 4 cells."""
    return replace(spec, input_size=64, extras=(), sources=spec.sources[:2])
