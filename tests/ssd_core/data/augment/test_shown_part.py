"""Where a part of the output begins and which pixels it needs; expected values by hand, and laws over many sides."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ssd_core.data.augment.pipeline import INTERPOLATIONS
from ssd_core.data.augment.shown_part import ALIGNMENT, Part, Side, shown_part


def test_a_patch_of_twice_the_output_has_an_edge_at_every_pixel():
    """Pixels 200 to 300 of 600: outputs 99, from pixel 198, up to 151, before pixel 302, and one for rounding."""
    side = Side(start=-200, stop=400, image_size=100)
    assert shown_part(side, 300, cv2.INTER_LINEAR) == Part(first=99, border=(2, 3))


def test_a_part_begins_where_edges_of_patch_and_output_coincide():
    """At 450 pixels for 300 every second output edge falls onto one between pixels."""
    side = Side(start=-201, stop=249, image_size=100)
    part = shown_part(side, 300, cv2.INTER_LINEAR)
    assert part.first == 132
    assert part.border[0] == 201 - 132 * 450 // 300


def test_a_side_that_shows_only_the_image_is_whole():
    side = Side(start=10, stop=110, image_size=500)
    assert side.is_full
    assert shown_part(side, 300, cv2.INTER_CUBIC) == Part(first=0, border=(0, 0))


@pytest.mark.parametrize(("start", "stop"), [(-50, -10), (-50, 0), (500, 600), (501, 600)])
def test_a_side_beside_the_image_is_empty(start: int, stop: int):
    assert Side(start=start, stop=stop, image_size=500).is_empty


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
def test_parts_start_at_coinciding_edges_and_hold_all_that_their_interpolation_reads(interpolation):
    rng = np.random.default_rng(0)
    checked = 0
    for _ in range(2000):
        size, image_size = int(rng.integers(8, 513)), int(rng.integers(1, 600))
        start = int(rng.integers(-1500, image_size))
        side = Side(start=start, stop=start + int(rng.integers(1, 2000)), image_size=image_size)
        if side.is_empty:
            continue
        part, scale = shown_part(side, size, interpolation), side.extent / size
        first_pixel = side.image.start - side.start - part.border[0]
        resized = round((side.image.stop - side.image.start + sum(part.border)) / scale)
        assert min(part.border) >= 0
        assert abs(part.first * scale - first_pixel) <= ALIGNMENT
        assert side.image.start - side.start > first_pixel or first_pixel == 0  # empty canvas before, if there is any
        assert part.first + resized >= min(size, (side.image.stop - side.start) / scale)
        checked += 1
    assert checked > 500
