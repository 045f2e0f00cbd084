"""Coverage of objects by default boxes, on a detector small enough to compute by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from ssd_core.boxes.coverage import OBJECTS_AT_ONCE, coverage, scale_names, scale_of_boxes
from ssd_core.boxes.default_boxes import default_boxes
from ssd_core.boxes.frames import to_xyxy
from ssd_core.boxes.matching import match
from ssd_core.boxes.objects import Objects
from ssd_core.spec.detector import DetectorSpec, Scale, Source
from ssd_core.spec.paper import ssd300

# Input 16: conv4_3 has 2 x 2 cells of step 8 with squares of 4; conv7 one cell with a square of 8 and its larger one,
# sqrt(8 * 18) = 12. Centres of conv4_3 are 4 and 12, that of conv7 is 8.
SPEC = DetectorSpec(
    input_size=16,
    classes=("cat",),
    extras=(),
    sources=(
        Source(layer="conv4_3", step=8, scales=(Scale(size=4, next_size=8, ratios=(), large_square=False),)),
        Source(layer="conv7", step=16, scales=(Scale(size=8, next_size=18, ratios=()),)),
    ),
)


def boxes(*xyxy_pixels: tuple[float, float, float, float]) -> torch.Tensor:
    return torch.tensor(xyxy_pixels) / 16


def test_an_object_is_compared_with_every_scale() -> None:
    found = coverage(
        boxes(
            (2, 2, 6, 6),  # the square of the first cell itself; it lies in the larger square of conv7: 16 of 144
            (4, 4, 12, 12),  # the square of conv7; it shares 2 x 2 with each square of conv4_3: 4 of 16 + 64 - 4
            (2, 2, 14, 14),  # the larger square of conv7
        ),
        SPEC,
    )
    torch.testing.assert_close(found.iou, torch.tensor([[1, 16 / 144], [4 / 76, 1], [16 / 144, 1]]))
    assert found.best_scale().tolist() == [0, 1, 1]
    # 8 x 8 within 12 x 12 overlaps by 64 / 144 = 0.44, so the two squares of conv7 do not both count
    assert found.boxes.tolist() == [[1, 0], [0, 1], [0, 1]]


def test_an_object_below_one_half_with_every_box_is_not_reached() -> None:
    half, less = (2, 2, 6, 4), (2, 2, 6, 3.9)  # 8 and 7.6 of the 16 pixels of the first square
    assert coverage(boxes(half, less), SPEC).reached().tolist() == [True, False]


def test_without_boundary_boxes_those_that_cross_the_border_cover_nothing() -> None:
    crossing = replace(SPEC, sources=(replace(SPEC.sources[0], scales=(Scale(size=10, next_size=10, ratios=()),)),))
    objects = boxes((0, 0, 9, 9))  # of the first square (-1..9): 81 of 100
    assert coverage(objects, crossing).reached().tolist() == [True]
    without = coverage(objects, replace(crossing, use_boundary_boxes=False))
    assert (without.reached().tolist(), without.iou.tolist()) == ([False], [[0.0]])


def test_scales_are_named_by_layer_and_size_and_own_the_boxes_of_the_paper() -> None:
    spec = ssd300()
    assert scale_names(spec)[0] == "conv4_3 30"
    # 38 * 38 * 4, 19 * 19 * 6, 10 * 10 * 6, 5 * 5 * 6, 3 * 3 * 4, 1 * 4
    assert scale_of_boxes(spec).bincount().tolist() == [5776, 2166, 600, 150, 36, 4]


def test_a_source_with_two_scales_has_them_alternate_in_each_cell() -> None:
    two = (Scale(size=4, next_size=8, ratios=(), large_square=False), Scale(size=6, next_size=8, ratios=()))
    spec = replace(SPEC, sources=(replace(SPEC.sources[0], scales=two),))
    assert scale_of_boxes(spec).tolist() == [0, 1, 1] * 4
    sides = default_boxes(spec)[:, 2] * 16
    assert sides[scale_of_boxes(spec) == 0].tolist() == pytest.approx([4] * 4)


def test_the_reached_objects_are_those_that_matching_gives_more_than_the_forced_box() -> None:
    """One object at a time, so that none takes another's box."""
    spec = ssd300()
    generator = torch.Generator().manual_seed(0)
    low = torch.rand(40, 2, generator=generator) * 0.7
    objects_xyxy = torch.cat([low, low + 0.02 + 0.28 * torch.rand(40, 2, generator=generator)], dim=1)
    found = coverage(objects_xyxy, spec)
    ones = torch.ones(40, 1)
    matches = match(default_boxes(spec), Objects(objects_xyxy[:, None], ones.long(), ones.bool()), spec)
    assert (matches.truth >= 0).sum(dim=1).tolist() == found.boxes.sum(dim=1).clamp(min=1).tolist()
    assert 0 < found.reached().sum() < 40


def test_many_objects_give_the_same_as_each_alone() -> None:
    objects = to_xyxy(default_boxes(ssd300()))[:: 8732 // (OBJECTS_AT_ONCE + 10)]
    found = coverage(objects, SPEC)
    assert len(found.iou) == len(objects) > OBJECTS_AT_ONCE
    torch.testing.assert_close(found.iou[-1:], coverage(objects[-1:], SPEC).iou)


def test_no_object_is_legal() -> None:
    found = coverage(torch.zeros(0, 4), SPEC)
    assert (found.iou.shape, found.reached().shape) == ((0, 2), (0,))
