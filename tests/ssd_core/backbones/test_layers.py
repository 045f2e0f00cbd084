from math import sqrt

import pytest
import torch

from ssd_core.backbones.layers import Convolution, GroupNorm, L2Norm, initialise


def test_l2_norm_scales_the_vector_of_each_position():
    features = torch.tensor([3.0, 4.0, 0.0, 0.0]).reshape(1, 2, 1, 2)  # (3, 0) and (4, 0) along the channels
    features[0, 1, 0, 0] = 4  # (3, 4), of length 5
    norm = L2Norm(2, scale=20.0)
    norm.scale.data[1] = 10
    expected = torch.tensor([12.0, 20.0, 8.0, 0.0]).reshape(1, 2, 1, 2)
    torch.testing.assert_close(norm(features), expected)


def test_l2_norm_of_zero_features_is_zero():
    assert not L2Norm(4, scale=20.0)(torch.zeros(1, 4, 2, 2)).any()


def test_l2_norm_of_half_precision_is_computed_in_single_precision():
    features = torch.full((1, 512, 1, 1), 1e-4, dtype=torch.float16)  # squares of 1e-8 would vanish
    normalised = L2Norm(512, scale=20.0)(features)
    assert normalised.dtype == torch.float16
    assert normalised.float().norm().item() == pytest.approx(20 * sqrt(512e-8 / (512e-8 + 1e-10)), rel=1e-2)


@pytest.mark.parametrize(
    ("outputs", "kernel", "bound"),
    [
        (126, 3, 0.0180),  # scores of conv7 for VOC: sqrt(3 / (1024 * 9)), where torch's xavier would have 0.0241
        (256, 1, 0.0541),  # conv8_1: sqrt(3 / 1024), where it would have 0.0685
    ],
)
def test_new_convolutions_are_uniform_by_fan_in_with_zero_biases(outputs, kernel, bound):
    layer = torch.nn.Conv2d(1024, outputs, kernel)
    initialise(layer, torch.Generator().manual_seed(0))
    assert layer.weight.abs().max().item() == pytest.approx(bound, abs=5e-5)
    assert layer.weight.std().item() == pytest.approx(bound / sqrt(3), rel=1e-2)
    assert not layer.bias.any()


def test_the_same_generator_gives_the_same_weights():
    layers = [torch.nn.Conv2d(3, 4, 3) for _ in range(2)]
    for layer in layers:
        initialise(layer, torch.Generator().manual_seed(7))
    assert torch.equal(layers[0].weight, layers[1].weight)


def test_channels_that_groups_do_not_divide_are_refused():
    with pytest.raises(ValueError, match="6 channels cannot be split into norm_groups=4"):
        Convolution(3, 6, norm_groups=4)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_group_norm_keeps_its_precision_on_a_nearly_constant_map_of_either_layout(layout):
    features = 100 + 0.01 * torch.randn(2, 8, 16, 16, generator=torch.Generator().manual_seed(0))
    features = features.to(memory_format=layout)
    norm = GroupNorm(4, 8)
    groups = features.double().reshape(2, 4, -1)
    expected = (groups - groups.mean(2, keepdim=True)) / (groups.var(2, correction=0, keepdim=True) + norm.eps).sqrt()
    torch.testing.assert_close(norm(features), expected.reshape(features.shape).float(), rtol=1e-2, atol=1e-2)
    assert norm(features).is_contiguous(memory_format=layout)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_the_computation_of_group_norm_for_a_gpu_differs_by_the_rounding_of_its_result_only(layout, precision):
    features = torch.randn(2, 8, 5, 5, generator=torch.Generator().manual_seed(0))
    features = features.to(precision, memory_format=layout)
    norm = GroupNorm(4, 8)
    found = norm._on_gpu(features)
    assert torch.equal(found, norm(features.float()).to(precision))
    assert found.is_contiguous(memory_format=layout)
