"""Parameters and operations of the networks.

Parameters of SSD300 with 21 outputs are those of the released VOC model's layers, with 91 those that torchvision
publishes. Each further class costs a 3x3 convolution and a bias per box of a cell: sum of b (9 D + 1) over the sources,
133,662 for SSD300 and 147,492 for SSD512.
"""

import subprocess
import sys
from dataclasses import replace

import pytest

from ssd_core.network.network_cost import measured_cost, network_cost
from ssd_core.spec.paper import ssd300, ssd300_full_vgg, ssd512, with_resnet50
from ssd_core.spec.tiny import ssd_tiny


def classes(outputs):
    return tuple(f"class {number}" for number in range(outputs - 1))


@pytest.mark.parametrize(
    ("detector", "outputs", "parameters", "giga_multiply_adds"),
    [
        (ssd300, 21, 26_285_486, 31.37),
        (ssd300, 81, 34_305_206, 34.36),
        (ssd300, 91, 35_641_826, 34.86),
        (ssd512, 21, 27_188_676, 90.21),
        (ssd512, 81, 36_038_196, 98.63),
        (ssd512, 91, 36_038_196 + 10 * 147_492, 100.03),
    ],
)
def test_each_detector_has_the_published_size(detector, outputs, parameters, giga_multiply_adds):
    cost = network_cost(detector(classes(outputs)))
    assert cost.parameters == parameters
    assert cost.multiply_adds / 1e9 == pytest.approx(giga_multiply_adds, abs=0.005)


def test_the_full_vgg_has_the_parameters_that_its_layers_add_up_to():
    vgg = 14_714_688  # conv1_1 to conv5_3
    fc6, fc7 = 4096 * 512 * 7 * 7 + 4096, 4096 * 4096 + 4096
    conv8 = (4096 * 256 + 256) + (256 * 512 * 9 + 512)
    conv9 = (512 * 128 + 128) + (128 * 256 * 9 + 256)
    conv10 = (256 * 128 + 128) + (128 * 256 * 9 + 256)
    # 4 coordinates and 21 classes for each box of a cell; channels of conv4_3, conv5_3, conv7, conv8_2, 9_2, 10_2
    heads = sum(
        boxes * 25 * (channels * 9 + 1)
        for boxes, channels in ((4, 512), (6, 512), (6, 4096), (6, 512), (4, 256), (4, 256))
    )
    expected = vgg + 512 + fc6 + fc7 + conv8 + conv9 + conv10 + heads  # 512: the scales of the L2 normalisation
    assert network_cost(ssd300_full_vgg()).parameters == expected == 145_013_294


@pytest.mark.parametrize(
    "spec",
    [
        ssd300(),
        ssd512(classes(81), scales="coco"),
        ssd300_full_vgg(),
        ssd300_full_vgg(seven_sources=True),
        with_resnet50(ssd300()),
        with_resnet50(ssd512()),
        with_resnet50(ssd_tiny(classes(3))),
        ssd_tiny(classes(21), input_size=200),
        replace(ssd300(), norm_groups=32),
        replace(ssd300(), sources=ssd300().sources[1:4]),  # without the L2 norm, and without the layers above conv9_2
        replace(ssd300(), input_size=211, extras=(), sources=ssd300().sources[:2]),  # sides that halving rounds
        replace(with_resnet50(ssd300()), input_size=211, extras=(), sources=with_resnet50(ssd300()).sources[:2]),
    ],
)
def test_the_arithmetic_agrees_with_the_count_on_the_modules(spec):
    assert network_cost(spec) == measured_cost(spec)


def test_the_arithmetic_imports_no_torch():
    code = """
import sys
from ssd_core.network.network_cost import network_cost
from ssd_core.spec.paper import ssd300, ssd300_full_vgg, with_resnet50
for spec in (ssd300(), ssd300_full_vgg(), with_resnet50(ssd300())):
    network_cost(spec)
print("torch" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
