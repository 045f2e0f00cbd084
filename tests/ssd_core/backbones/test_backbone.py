"""The two backbones compared, ResNet-50 compared with torchvision's, and a custom backbone."""

from __future__ import annotations

import io
from collections import OrderedDict
from copy import deepcopy
from dataclasses import dataclass, replace

import pytest
import torch
from torch import nn
from torchvision.models import ResNet, resnet50
from torchvision.ops import FrozenBatchNorm2d

from ssd_core.backbones.backbone import Backbone, ResNet50
from ssd_core.network.model import Detector
from ssd_core.network.network_cost import network_cost
from ssd_core.spec.detector import DetectorSpec, Preprocessing
from ssd_core.spec.paper import ssd300, ssd300_full_vgg, ssd512, with_resnet50
from ssd_core.spec.tiny import ssd_tiny
from ssd_core.training.optimiser import build_optimiser
from ssd_core.weights.any_weights import read_weights
from ssd_core.weights.initial import initial_detector
from ssd_core.weights.resnet import from_resnet50, resnet50_state
from ssd_core.weights.weights import Weights, load_weights, save_weights

IMAGES = torch.randint(0, 256, (2, 3, 64, 64), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


@pytest.fixture(scope="module")
def theirs() -> ResNet:
    """torchvision's network with random weights and random batch norm statistics, as after a training."""
    torch.manual_seed(0)
    network = resnet50().eval()
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            for tensor in (layer.weight.data, layer.running_var):
                torch.nn.init.uniform_(tensor, 0.5, 1.5)
            for tensor in (layer.bias.data, layer.running_mean):
                torch.nn.init.normal_(tensor, std=0.1)
    return network


@dataclass(frozen=True, kw_only=True)
class Pooled(Backbone):
    """One convolution over pooled pixels."""

    channels: int = 8

    def cells(self, input_size: int) -> dict[str, int]:
        return {"pooled": input_size // 8}

    def widths(self) -> dict[str, int]:
        return {"pooled": self.channels}

    def parts(self, norm_groups: int) -> OrderedDict[str, nn.Module]:
        return OrderedDict(pooled=nn.Sequential(nn.AvgPool2d(8), nn.Conv2d(3, self.channels, 1)))


@pytest.mark.parametrize("paper", [ssd300(), ssd512()])
def test_on_resnet_50_a_detector_has_the_same_maps_and_boxes(paper: DetectorSpec) -> None:
    spec = with_resnet50(paper)
    assert list(spec.cells().values()) == list(paper.cells().values())  # 300: 38, 19, 10, 5, 3, 1
    assert spec.box_count == paper.box_count
    assert [source.layer for source in spec.sources][:3] == ["layer2", "layer3", "conv8_2"]


def test_the_parameters_of_ssd300_on_resnet_50_are_those_counted_by_hand() -> None:
    conv1 = 3 * 64 * 49
    layer1 = 64 * 64 + 64 * 64 * 9 + 64 * 256 + 64 * 256 + 2 * (256 * 64 + 64 * 64 * 9 + 64 * 256)
    layer2 = 256 * 128 + 128 * 128 * 9 + 128 * 512 + 256 * 512 + 3 * (512 * 128 + 128 * 128 * 9 + 128 * 512)
    layer3 = 512 * 256 + 256 * 256 * 9 + 256 * 1024 + 512 * 1024 + 5 * (1024 * 256 + 256 * 256 * 9 + 256 * 1024)
    conv8 = 1024 * 256 + 256 + 256 * 512 * 9 + 512
    conv9 = 512 * 128 + 128 + 128 * 256 * 9 + 256
    conv10_and_11 = 2 * (256 * 128 + 128 + 128 * 256 * 9 + 256)
    outputs = {512: 4 * 25 + 6 * 25, 1024: 6 * 25, 256: (6 + 4 + 4) * 25}  # 4 locations and 21 classes per box
    heads = sum((channels * 9 + 1) * count for channels, count in outputs.items())
    expected = conv1 + layer1 + layer2 + layer3 + conv8 + conv9 + conv10_and_11 + heads
    assert network_cost(with_resnet50(ssd300())).parameters == expected == 14_313_774


def test_resnet_50_computes_the_maps_of_torchvision_s(theirs: ResNet) -> None:
    theirs = deepcopy(theirs).double()
    pixels = torch.randn(2, 3, 75, 75, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    parts = ResNet50().parts(norm_groups=0)
    for layer, part in parts.items():
        state = {
            name.removeprefix(f"features.{layer}."): tensor
            for name, tensor in resnet50_state(theirs.state_dict()).items()
            if name.startswith(f"features.{layer}.")
        }
        part.double().load_state_dict(state)
    with torch.no_grad():
        expected2 = theirs.layer2(theirs.layer1(theirs.maxpool(theirs.relu(theirs.bn1(theirs.conv1(pixels))))))
        expected3 = theirs.layer3(expected2)
        layer2 = parts["layer2"](pixels)
        layer3 = parts["layer3"](layer2)
    assert layer2.shape == (2, 512, 10, 10)  # 75 -> 38 -> 19 -> 10 -> 5
    assert layer3.shape == (2, 1024, 5, 5)
    for ours, expected in ((layer2, expected2), (layer3, expected3)):
        torch.testing.assert_close(ours, expected)


def test_batch_norm_is_frozen_has_no_trained_parameters_and_does_not_change_with_a_batch() -> None:
    spec = _small(with_resnet50(ssd300()), norm_groups=0)
    detector = Detector(spec, torch.Generator().manual_seed(0)).train()
    norms = [layer for layer in detector.modules() if isinstance(layer, FrozenBatchNorm2d)]
    assert len(norms) == 1 + 3 * (3 + 4 + 6) + 3  # conv1, three in each block, and the shortcut of each layer
    assert not [name for name, _ in detector.named_parameters() if ".bn" in name]
    before = {name: tensor.clone() for name, tensor in detector.named_buffers()}
    together = detector(IMAGES)[1]
    alone = detector(IMAGES[:1])[1]
    torch.testing.assert_close(together[:1], alone, rtol=1e-4, atol=1e-5)
    assert all(torch.equal(tensor, before[name]) for name, tensor in detector.named_buffers())
    build_optimiser(detector)  # knows a rate for every parameter


def test_from_scratch_group_norm_replaces_batch_norm() -> None:
    spec = with_resnet50(ssd_tiny(("cat", "dog")))
    detector = Detector(spec)
    assert not [layer for layer in detector.modules() if isinstance(layer, FrozenBatchNorm2d)]
    assert spec.backbone.widths() == {"layer2": 64, "layer3": 128}  # as many as conv4_3 and conv7 of the tiny VGG16
    locations, logits = detector(torch.zeros(1, 3, 130, 130))
    assert (locations.shape, logits.shape) == ((1, spec.box_count, 4), (1, spec.box_count, 3))


def test_a_file_of_torchvision_s_resnet_50_is_recognised_and_starts_a_detector(theirs: ResNet) -> None:
    file = io.BytesIO()
    torch.save(theirs.state_dict(), file)
    file.seek(0)
    weights = read_weights(file)
    assert weights.spec.preprocessing.std == (58.395, 57.12, 57.375)
    detector = initial_detector(with_resnet50(ssd300(("cat",))), seed=0, initial=weights)
    started = detector.state_dict()
    assert torch.equal(started["features.layer2.bn1.running_mean"], theirs.state_dict()["bn1.running_mean"])
    assert torch.equal(started["features.layer3.layer3.5.conv3.weight"], theirs.state_dict()["layer3.5.conv3.weight"])
    left = {name for name in started if name not in weights.state}
    assert {name.split(".")[0] for name in left} == {"features", "heads"}
    assert {name.split(".")[1] for name in left if name.startswith("features")} == {
        "conv8_2", "conv9_2", "conv10_2", "conv11_2",
    }  # fmt: skip


def test_another_resnet_is_refused_with_the_tensor_that_does_not_fit(theirs: ResNet) -> None:
    state = dict(theirs.state_dict())
    del state["layer3.5.conv3.weight"]
    with pytest.raises(ValueError, match=r"layer3\.5\.conv3\.weight should be \(1024, 256, 1, 1\), but is missing"):
        from_resnet50(state)


def test_weights_state_their_backbone_and_those_that_do_not_are_of_a_vgg16() -> None:
    spec = with_resnet50(ssd_tiny(("cat", "dog")))
    assert _read_again(Weights(spec=spec, state={}), {}).spec == spec
    paper = ssd300()
    assert _read_again(Weights(spec=paper, state={}), {"kind": None}).spec == paper


def test_a_custom_backbone_makes_a_detector_whose_weights_round_trip() -> None:
    spec = replace(
        _small(ssd300(("cat",)), norm_groups=0),
        backbone=Pooled(channels=4),
        extras=(),
        sources=(replace(ssd300().sources[0], layer="pooled"),),
    )
    detector = Detector(spec)
    assert detector(IMAGES)[0].shape == (2, 8 * 8 * 4, 4)
    again = _read_again(Weights(spec=spec, state=detector.state_dict()), {}).detector()
    torch.testing.assert_close(again(IMAGES), detector.eval()(IMAGES))


def test_the_cost_of_a_custom_backbone_is_measured_on_its_modules() -> None:
    spec = replace(
        _small(ssd300(("cat",)), norm_groups=0),
        backbone=Pooled(channels=4),
        extras=(),
        sources=(replace(ssd300().sources[0], layer="pooled"),),
    )
    convolution, head = (3 * 4, 4), (4 * 9 * 4 * (4 + 2), 4 * (4 + 2))  # weights and biases; 4 boxes in a cell
    assert network_cost(spec).parameters == sum(convolution) + sum(head)
    assert network_cost(spec).multiply_adds == 8 * 8 * (convolution[0] + head[0])


def test_weights_of_an_unknown_backbone_say_what_to_import() -> None:
    with pytest.raises(ValueError, match=r"there is no Backbone 'Lost', only Vgg16, ResNet50.*: import the module"):
        _read_again(Weights(spec=ssd300(), state={}), {"kind": "Lost"})


def test_only_a_reduced_vgg16_is_replaced() -> None:
    with pytest.raises(ValueError, match="only a reduced VGG16 can be replaced by ResNet-50"):
        with_resnet50(ssd300_full_vgg())


def _small(spec: DetectorSpec, *, norm_groups: int) -> DetectorSpec:
    """Return the detector at input 64, with two maps of 8 and 4 cells."""
    return replace(
        spec, input_size=64, extras=(), sources=spec.sources[:2], norm_groups=norm_groups,
        preprocessing=Preprocessing(mean=(110.0, 110.0, 110.0), std=(60.0, 60.0, 60.0)),
    )  # fmt: skip


def _read_again(weights: Weights, backbone: dict[str, str | None]) -> Weights:
    """Write and read weights, with fields of the file's backbone changed or (None) removed."""
    stream = io.BytesIO()
    save_weights(weights, stream)
    stream.seek(0)
    content = torch.load(stream)
    fields = content["spec"]["backbone"] | backbone
    content["spec"]["backbone"] = {name: value for name, value in fields.items() if value is not None}
    stream = io.BytesIO()
    torch.save(content, stream)
    stream.seek(0)
    return load_weights(stream)
