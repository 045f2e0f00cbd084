"""Parameter counts: 26,285,486 from the released VOC model's layers; 35,641,826 is torchvision's published one."""

import pytest

from ssd_core.network_cost import network_cost
from ssd_core.spec import ssd300


@pytest.mark.parametrize(
    ("outputs", "parameters", "giga_multiply_adds"),
    [(21, 26_285_486, 31.37), (81, 34_305_206, 34.36), (91, 35_641_826, 34.86)],
)
def test_ssd300_has_the_published_size(outputs, parameters, giga_multiply_adds):
    cost = network_cost(ssd300(tuple(f"class {number}" for number in range(outputs - 1))))
    assert cost.parameters == parameters
    assert cost.multiply_adds / 1e9 == pytest.approx(giga_multiply_adds, abs=0.005)
