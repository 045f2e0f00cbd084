import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ssd_core.boxes import matching
from ssd_core.boxes.default_boxes import default_boxes
from ssd_core.boxes.frames import pairwise_iou, to_cxcywh
from ssd_core.boxes.matching import IGNORED, NEGATIVE, NO_OVERLAP, match
from ssd_core.boxes.objects import Objects
from ssd_core.spec.paper import ssd300

SPEC = ssd300()


def objects(*images):
    """Objects of images given as lists of boxes xyxy; the padding would match if it were not masked."""
    most = max(map(len, images), default=0)
    boxes = torch.tensor([[0.0, 0.0, 1.0, 1.0]]).repeat(len(images), most, 1)
    valid = torch.zeros(len(images), most, dtype=torch.bool)
    for index, image in enumerate(images):
        if image:
            boxes[index, : len(image)] = torch.tensor(image)
            valid[index, : len(image)] = True
    return Objects(boxes, torch.zeros(len(images), most, dtype=torch.long), valid)


def matched(default_boxes_xyxy, *images, spec=SPEC):
    default_boxes_cxcywh = to_cxcywh(torch.tensor(default_boxes_xyxy))
    found = match(default_boxes_cxcywh, objects(*images), spec)
    assert_same(match(default_boxes_cxcywh, objects(*images), spec, static_shapes=True), found)
    return found.truth.tolist()


def assert_same(found, expected):
    assert torch.equal(found.truth, expected.truth)
    assert torch.equal(found.iou, expected.iou)


LEFT = [0.0, 0.0, 0.5, 0.5]
MIDDLE = [0.25, 0.0, 0.75, 0.5]
RIGHT = [0.5, 0.0, 1.0, 0.5]
BELOW = [0.5, 0.5, 1.0, 1.0]


def test_a_box_with_less_than_the_threshold_goes_to_an_object_that_has_none_better():
    # 1/3 overlap is all that the object has
    assert matched([MIDDLE, BELOW], [LEFT]) == [[0, NEGATIVE]]


def test_a_box_at_exactly_half_overlap_is_matched():
    half = [0.0, 0.0, 0.5, 0.25]
    assert matched([LEFT, half, BELOW], [LEFT]) == [[0, 0, NEGATIVE]]


def test_two_identical_objects_get_different_boxes():
    # the first takes the best box; the second must take the next best, which is below the threshold
    assert matched([LEFT, MIDDLE, BELOW], [LEFT, LEFT]) == [[0, 1, NEGATIVE]]


def test_an_object_without_any_overlap_gets_no_box():
    assert matched([LEFT, RIGHT], [BELOW]) == [[NEGATIVE, NEGATIVE]]


def test_a_box_tied_between_two_objects_goes_to_the_first():
    twin_of_left = [LEFT, LEFT, LEFT, BELOW]
    # both objects cover the boxes alike: box 0 and 1 are given to objects 0 and 1, the third box to the first object
    assert matched(twin_of_left, [LEFT, LEFT]) == [[0, 1, 0, NEGATIVE]]


def test_of_two_boxes_that_overlap_an_object_equally_the_first_is_matched():
    # 1/3 each, below the threshold
    assert matched([RIGHT, LEFT], [MIDDLE]) == [[0, NEGATIVE]]


def test_a_box_given_to_an_object_stays_with_it_though_it_overlaps_another_more():
    wide = [0.0, 0.0, 0.5, 0.9]
    # the second object has only box 0; the first has box 1 as its best and overlaps box 0 by more than the second does
    boxes, image = [LEFT, wide], [[0.0, 0.0, 0.5, 0.95], [0.0, 0.0, 0.1, 0.1]]
    overlaps = pairwise_iou(torch.tensor(image), torch.tensor(boxes))
    assert overlaps[0, 0] > overlaps[1, 0] > overlaps[1, 1]
    assert matched(boxes, image) == [[1, 0]]


def test_an_image_without_objects_has_only_negatives():
    assert matched([LEFT, RIGHT], [], [LEFT]) == [[NEGATIVE, NEGATIVE], [0, NEGATIVE]]
    assert matched([LEFT, RIGHT], []) == [[NEGATIVE, NEGATIVE]]


def test_an_object_without_area_gets_no_box():
    assert matched([LEFT], [[0.1, 0.1, 0.1, 0.1]]) == [[NEGATIVE]]


def test_boundary_boxes_are_ignored_when_the_specification_excludes_them():
    crossing = [-0.1, 0.0, 0.5, 0.5]
    without = replace(SPEC, use_boundary_boxes=False)
    # the object overlaps the crossing box most, but has to take the other
    assert matched([crossing, MIDDLE], [crossing]) == [[0, NEGATIVE]]
    assert matched([crossing, MIDDLE], [crossing], spec=without) == [[IGNORED, 0]]
    assert matched([crossing, MIDDLE], [], spec=without) == [[IGNORED, NEGATIVE]]


def test_the_largest_overlap_is_reported_for_each_box():
    iou = match(to_cxcywh(torch.tensor([LEFT, MIDDLE, BELOW])), objects([LEFT, RIGHT]), SPEC).iou
    torch.testing.assert_close(iou, torch.tensor([[1, 1 / 3, 0]]))


def test_matched_boxes_are_counted_over_the_batch():
    default_boxes_cxcywh = to_cxcywh(torch.tensor([LEFT, LEFT, BELOW]))
    assert match(default_boxes_cxcywh, objects([LEFT], [], [BELOW]), SPEC).matched_count() == 3


def overlap(box, other):
    """Intersection over union of two boxes with integer corners: equal fractions are equal floats."""
    width = min(box[2], other[2]) - max(box[0], other[0])
    height = min(box[3], other[3]) - max(box[1], other[1])
    common = max(width, 0) * max(height, 0)
    areas = sum((right - left) * (bottom - top) for left, top, right, bottom in (box, other))
    return common / (areas - common)


def greedy(overlaps, usable):
    """Match one image in plain Python by the rules of the released code; overlaps are (G, K)."""
    boxes = range(len(usable))
    pairs = [
        (-overlap, box, truth)
        for truth, row in enumerate(overlaps)
        for box, overlap in enumerate(row)
        if usable[box] and overlap > NO_OVERLAP
    ]
    owner: dict[int, int] = {}
    for _, box, truth in sorted(pairs):
        if box not in owner and truth not in owner.values():
            owner[box] = truth
    for box in boxes:
        column = [row[box] for row in overlaps]
        if usable[box] and box not in owner and column and max(column) >= 0.5:
            owner[box] = column.index(max(column))
    return [owner.get(box, NEGATIVE) if usable[box] else IGNORED for box in boxes]


@pytest.mark.parametrize("static_shapes", [True, False])
@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("use_boundary_boxes", [True, False])
def test_a_batch_is_matched_as_if_pair_by_pair(seed, use_boundary_boxes, static_shapes):
    generator = torch.Generator().manual_seed(seed)

    def coarse_boxes(*shape):
        """Random boxes in eighths of the image, so that equal overlaps and equal boxes are common."""
        low = torch.randint(-1, 7, (*shape, 2), generator=generator)
        size = torch.randint(1, 5, (*shape, 2), generator=generator)
        return torch.cat([low, low + size], dim=-1)

    tiles, boxes = coarse_boxes(60), coarse_boxes(5, 12)
    valid = torch.rand(5, 12, generator=generator) < 0.8
    batch = Objects(boxes / 8, torch.zeros(5, 12, dtype=torch.long), valid)
    spec = replace(SPEC, use_boundary_boxes=use_boundary_boxes)
    found = match(to_cxcywh(tiles / 8), batch, spec, static_shapes=static_shapes).truth

    usable = [use_boundary_boxes or (min(box) >= 0 and max(box) <= 8) for box in tiles.tolist()]
    for index in range(5):
        overlaps = [
            [overlap(box, other) * real for other in tiles.tolist()]
            for box, real in zip(boxes[index].tolist(), valid[index].tolist(), strict=True)
        ]
        assert found[index].tolist() == greedy(overlaps, usable)


@settings(max_examples=50, deadline=None)
@given(
    seed=st.integers(0, 2**32), steps=st.sampled_from([1, 3, 1000]), images=st.integers(1, 3), most=st.integers(0, 9)
)
def test_static_shapes_give_the_same_matches(seed, steps, images, most):
    """With few steps of the coordinates, ties, equal boxes and boxes without area are common."""
    generator = torch.Generator().manual_seed(seed)

    def boxes(*shape):
        corners = torch.randint(0, steps + 1, (*shape, 2, 2), generator=generator) / steps
        return torch.cat([corners.amin(dim=-2), corners.amax(dim=-2)], dim=-1)

    valid = torch.rand(images, most, generator=generator) < 0.8
    batch = Objects(boxes(images, most), torch.zeros(images, most, dtype=torch.long), valid)
    default_boxes_cxcywh = to_cxcywh(boxes(7))
    expected = match(default_boxes_cxcywh, batch, SPEC)
    assert_same(match(default_boxes_cxcywh, batch, SPEC, static_shapes=True), expected)


def test_static_shapes_give_the_same_matches_to_the_default_boxes_of_the_paper():
    generator = torch.Generator().manual_seed(0)
    low = torch.rand(4, 40, 2, generator=generator) * 0.9
    crowd = torch.cat([low, low + 0.02 + torch.rand(4, 40, 2, generator=generator) * 0.1], dim=-1)
    crowd[:, 20:] = crowd[:, :20]  # each object twice
    batch = Objects(crowd, torch.zeros(4, 40, dtype=torch.long), torch.rand(4, 40, generator=generator) < 0.9)
    expected = match(default_boxes(SPEC), batch, SPEC)
    assert_same(match(default_boxes(SPEC), batch, SPEC, static_shapes=True), expected)


@pytest.mark.parametrize("static_shapes", [True, False])
@pytest.mark.parametrize("pairs", [1, 60, 200, 1000])
@pytest.mark.parametrize("seed", range(5))
def test_a_batch_in_parts_is_matched_as_at_once(monkeypatch, seed, pairs, static_shapes):
    generator = torch.Generator().manual_seed(seed)
    corners = torch.randint(0, 9, (4, 30, 2, 2), generator=generator) / 8
    boxes = torch.cat([corners.amin(dim=-2), corners.amax(dim=-2)], dim=-1)
    valid = torch.rand(4, 30, generator=generator) < 0.7
    valid[2] = False
    batch = Objects(boxes, torch.zeros(4, 30, dtype=torch.long), valid)
    tiles = to_cxcywh(boxes.flatten(0, 1)[:7] * 1.25 - 0.125)
    spec = replace(SPEC, use_boundary_boxes=seed % 2 == 0)
    expected = match(tiles, batch, spec, static_shapes=static_shapes)
    monkeypatch.setattr(matching, "MOST_PAIRS", pairs)
    assert_same(match(tiles, batch, spec, static_shapes=static_shapes), expected)


CROWD = """
import resource
import torch
from ssd_core.boxes.default_boxes import default_boxes
from ssd_core.boxes.matching import match
from ssd_core.boxes.objects import Objects
from ssd_core.spec.paper import ssd300
low = torch.rand(2, 20_000, 2, generator=torch.Generator().manual_seed(0)) * 0.8
size = low.flip(1) / 4
size[:, 1000:] = 1e-5  # overlaps of less than 1e-6: they are compared, but need no further rounds
valid = torch.ones(2, 20_000, dtype=torch.bool)
valid[1, 3:] = False
batch = Objects(torch.cat([low, low + size], dim=-1), torch.zeros(2, 20_000, dtype=torch.long), valid)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
matches = match(default_boxes(ssd300()), batch, ssd300())
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, matches.truth[0].unique().numel())
"""


def test_20_000_boxes_in_an_image_of_a_batch_stay_below_1_gib():
    done = subprocess.run([sys.executable, "-c", CROWD], capture_output=True, text=True, check=True)
    kib, matched = map(int, done.stdout.split())
    assert kib < 1 << 20
    assert matched > 900
