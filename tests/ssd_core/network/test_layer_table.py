"""The layer table compared with the sizes printed in the paper."""

from __future__ import annotations

import pytest

from ssd_core.network.layer_table import layer_table
from ssd_core.spec.paper import ssd300, ssd300_full_vgg, ssd512, with_resnet50


def test_maps_of_ssd300_are_those_of_figure_2():
    table = layer_table(ssd300())
    found = [(row.layer, row.side, row.channels, row.boxes_per_cell) for row in table.maps]
    assert found == [
        ("conv4_3", 38, 512, 4),
        ("conv7", 19, 1024, 6),
        ("conv8_2", 10, 512, 6),
        ("conv9_2", 5, 256, 6),
        ("conv10_2", 3, 256, 4),
        ("conv11_2", 1, 256, 4),
    ]
    assert (table.boxes, table.class_count, table.input_size) == (8732, 21, 300)


def test_convolutions_are_listed_with_stride_and_dilation():
    *_, conv5_3, conv6, conv7 = layer_table(ssd300()).maps[1].convolutions
    assert (conv5_3.name, conv5_3.kernel, conv5_3.channels, conv5_3.side) == ("conv5_3", 3, 512, 19)
    assert (conv6.name, conv6.kernel, conv6.dilation, conv6.channels) == ("conv6", 3, 6, 1024)
    assert (conv7.name, conv7.kernel, conv7.channels) == ("conv7", 1, 1024)
    squeeze, spread = layer_table(ssd300()).maps[2].convolutions
    assert (squeeze.name, squeeze.kernel, squeeze.channels, squeeze.side) == ("conv8_1", 1, 256, 19)
    assert (spread.name, spread.stride, spread.side) == ("conv8_2", 2, 10)


@pytest.mark.parametrize("spec", [ssd512(), ssd300_full_vgg(), with_resnet50(ssd300())], ids=("512", "full", "resnet"))
def test_boxes_and_sides_of_any_detector_are_those_of_its_specification(spec):
    table = layer_table(spec)
    assert table.boxes == spec.box_count
    cells = spec.cells()
    assert {row.layer: row.side for row in table.maps} == {row.layer: cells[row.layer] for row in table.maps}
