"""Default boxes; expected sums and counts follow from the rules of the released code in double precision."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from ssd_core.boxes.default_boxes import default_boxes
from ssd_core.boxes.frames import inside_image, to_xyxy
from ssd_core.spec.paper import ssd300, ssd512, truncated


def test_a_cell_lists_the_squares_then_each_ratio_with_its_reciprocal():
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


@pytest.mark.parametrize(
    ("spec", "inside", "crossing", "centres", "sizes"),
    [
        (ssd300(), 5863, 2869, 4443.9467, 1510.4293),
        (ssd300(scales="coco"), 6509, 2223, 4443.9467, 1172.1980),
        (ssd512(), 19078, 5486, 12282.0, 3146.1417),
        (truncated(ssd512()), 19078, 5486, 12282.0, 3105.5545),
        (ssd512(scales="coco"), 20446, 4118, 12282.0, 2192.4711),
        (truncated(ssd512(scales="coco")), 20446, 4118, 12282.0, 2173.6820),
    ],
    ids=["voc300", "coco300", "voc512", "voc512-truncated", "coco512", "coco512-truncated"],
)
def test_each_detector_has_the_sums_and_boundary_boxes_of_the_released_code(spec, inside, crossing, centres, sizes):
    boxes_cxcywh = default_boxes(spec)
    assert boxes_cxcywh.shape == (inside + crossing, 4)
    assert inside_image(to_xyxy(boxes_cxcywh)).sum() == inside
    assert boxes_cxcywh.double().sum(dim=0).tolist() == pytest.approx([centres] * 2 + [sizes] * 2, abs=1e-3)


def test_twenty_boxes_of_ssd300_are_larger_than_the_image():
    assert (default_boxes(ssd300())[:, 2:] > 1).any(dim=1).sum() == 20


def test_conv12_2_of_ssd512_is_one_cell_in_the_middle():
    # 460.8 / 512 = 0.9 and sqrt(460.8 * 537.6) / 512 = 0.972111; times and over sqrt 2: 1.272792 and 0.636396
    sizes = [[0.9, 0.9], [0.972111, 0.972111], [1.272792, 0.636396], [0.636396, 1.272792]]
    expected_cxcywh = torch.tensor([[0.5, 0.5, *size] for size in sizes])
    torch.testing.assert_close(default_boxes(ssd512())[-4:], expected_cxcywh, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("clipping", "changed"), [("clip_boxes", 20 + 19 * 6), ("clip_sizes", 20)])
def test_clipping_limits_centres_and_sizes_or_only_sizes_and_never_corners(clipping, changed):
    chosen: dict[str, Any] = {clipping: True}
    clipped_cxcywh = default_boxes(replace(ssd300(), **chosen))
    sizes = [[0.88, 0.88], [0.961249, 0.961249], [1, 0.622254], [0.622254, 1]]
    expected_cxcywh = torch.tensor([[0.5, 0.5, *size] for size in sizes])
    torch.testing.assert_close(clipped_cxcywh[-4:], expected_cxcywh, rtol=0, atol=1e-6)
    # 20 boxes are larger than the image; the last row and column of conv8_2, 19 cells, have a centre at
    # 9.5 * 32 / 300 = 1.0133
    assert (clipped_cxcywh != default_boxes(ssd300())).any(dim=1).sum() == changed
    assert not inside_image(to_xyxy(clipped_cxcywh)).all()


def test_a_specification_counts_the_boxes_it_gets(narrow_spec):
    assert len(default_boxes(narrow_spec)) == narrow_spec.box_count == 16 * 16 * 4 + 8 * 8 * 6 + 4 * 4 * 4
