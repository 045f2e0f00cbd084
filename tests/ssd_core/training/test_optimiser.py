import pytest
import torch

from ssd_core.network.model import Detector
from ssd_core.spec.paper import ssd300
from ssd_core.training.optimiser import build_optimiser, parameter_groups, set_learning_rate


def test_biases_learn_twice_as_fast_and_do_not_decay():
    with torch.device("meta"):
        detector = Detector(ssd300())
    weights, biases, norms = parameter_groups(detector, weight_decay=5e-4)
    assert (weights["lr_scale"], weights["weight_decay"]) == (1, 5e-4)
    assert (biases["lr_scale"], biases["weight_decay"]) == (2, 0)
    # 15 of VGG, 8 of the extra layers, 12 of the heads; the scale of the L2 normalisation is a weight
    assert (len(weights["params"]), len(biases["params"]), len(norms["params"])) == (36, 35, 0)
    assert any(parameter is detector.l2_norm.scale for parameter in weights["params"])
    assert {parameter.dim() for parameter in biases["params"]} == {1}


def test_group_norms_do_not_decay(narrow_spec):
    detector = Detector(narrow_spec)
    _, _, norms = parameter_groups(detector, weight_decay=5e-4)
    assert (norms["lr_scale"], norms["weight_decay"]) == (1, 0)
    assert len(norms["params"]) == 2 * (15 + 2)  # scale and shift behind each convolution up to conv8_2


def test_each_parameter_is_in_one_group(narrow_spec):
    detector = Detector(narrow_spec)
    grouped = [id(parameter) for group in parameter_groups(detector, 0.0) for parameter in group["params"]]
    assert sorted(grouped) == sorted(map(id, detector.parameters()))


def test_a_step_is_momentum_descent_with_the_rate_of_its_group():
    layer = torch.nn.Conv2d(1, 1, 1)
    torch.nn.init.constant_(layer.weight, 1.0)
    torch.nn.init.constant_(layer.bias, 1.0)
    optimiser = build_optimiser(layer, momentum=0.9, weight_decay=0.5)
    for rate in (0.1, 0.01):
        layer.weight.grad = torch.full_like(layer.weight, 2.0)
        layer.bias.grad = torch.full_like(layer.bias, 2.0)
        set_learning_rate(optimiser, rate)
        optimiser.step()
    # weight: 1 - 0.1 * 2.5 = 0.75, then the velocity is 0.9 * 2.5 + 2 + 0.5 * 0.75 = 4.625
    assert layer.weight.item() == pytest.approx(0.75 - 0.01 * 4.625)
    # bias: 1 - 0.2 * 2 = 0.6, then the velocity is 0.9 * 2 + 2 = 3.8
    assert layer.bias.item() == pytest.approx(0.6 - 0.02 * 3.8)


def test_a_layer_of_an_unknown_kind_is_refused():
    with pytest.raises(TypeError, match="'weight' of Linear"):
        build_optimiser(torch.nn.Linear(2, 2))
