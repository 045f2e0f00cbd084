"""Golden sums and counts follow from the rules of the released code in double precision."""

import pytest
import torch

from ssd_core.boxes import inside_image, to_xyxy
from ssd_core.default_boxes import default_boxes
from ssd_core.spec import ssd300


def test_a_cell_lists_the_squares_and_then_each_ratio_with_its_reciprocal():
    expected_cxcywh = torch.tensor(
        [
            [0.013333, 0.013333, 0.1, 0.1],
            [0.013333, 0.013333, 0.141421, 0.141421],
            [0.013333, 0.013333, 0.141421, 0.070711],
            [0.013333, 0.013333, 0.070711, 0.141421],
        ]
    )
    torch.testing.assert_close(default_boxes(ssd300())[:4], expected_cxcywh, rtol=0, atol=1e-6)


def test_conv7_starts_after_38_by_38_cells_of_four_boxes():
    expected_cxcywh = torch.tensor(
        [
            [0.026667, 0.026667, 0.2, 0.2],
            [0.026667, 0.026667, 0.272029, 0.272029],
            [0.026667, 0.026667, 0.282843, 0.141421],
            [0.026667, 0.026667, 0.141421, 0.282843],
            [0.026667, 0.026667, 0.34641, 0.11547],
            [0.026667, 0.026667, 0.11547, 0.34641],
        ]
    )
    torch.testing.assert_close(default_boxes(ssd300())[5776:5782], expected_cxcywh, rtol=0, atol=1e-6)


def test_the_last_map_is_one_cell_in_the_middle_and_its_boxes_are_not_clipped():
    sizes = [[0.88, 0.88], [0.961249, 0.961249], [1.244508, 0.622254], [0.622254, 1.244508]]
    expected_cxcywh = torch.tensor([[0.5, 0.5, *size] for size in sizes])
    torch.testing.assert_close(default_boxes(ssd300())[-4:], expected_cxcywh, rtol=0, atol=1e-6)


def test_cells_run_row_by_row():
    boxes_cxcywh = default_boxes(ssd300())
    assert boxes_cxcywh[4, :2].tolist() == pytest.approx([1.5 * 8 / 300, 0.5 * 8 / 300])
    assert boxes_cxcywh[38 * 4, :2].tolist() == pytest.approx([0.5 * 8 / 300, 1.5 * 8 / 300])


def test_the_last_column_of_the_38_map_is_centred_on_the_border():
    assert default_boxes(ssd300())[37 * 4, 0].item() == 1.0


def test_ssd300_has_the_sums_and_the_boundary_boxes_of_the_released_code():
    boxes_cxcywh = default_boxes(ssd300())
    assert boxes_cxcywh.shape == (8732, 4)
    assert boxes_cxcywh.double().sum(dim=0).tolist() == pytest.approx([4443.9467] * 2 + [1510.4293] * 2, abs=1e-3)
    assert inside_image(to_xyxy(boxes_cxcywh)).sum() == 5863
    assert (boxes_cxcywh[:, 2:] > 1).any(dim=1).sum() == 20


def test_a_specification_counts_the_boxes_it_gets(narrow_spec):
    assert len(default_boxes(narrow_spec)) == narrow_spec.box_count == 16 * 16 * 4 + 8 * 8 * 6 + 4 * 4 * 4
