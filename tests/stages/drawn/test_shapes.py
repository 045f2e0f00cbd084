import numpy as np
import pytest

from stages.drawn.patch import overlap, raster
from stages.drawn.shapes import crowd, disc, posed, ring, square
from stages.drawn.vocabulary import COCO_LIKE


def covered(patch):
    """First and last row and column (y0, x0, y1, x1) of the image that are at least half covered."""
    y, x = np.nonzero(patch.cover >= 128)
    return y.min() + patch.top, x.min() + patch.left, y.max() + patch.top, x.max() + patch.left


def test_a_disc_fills_its_box_and_covers_pi_quarters_of_its_area():
    outline = posed(disc(np.random.default_rng(0)), angle=0, aspect=1, side=40, limit=(100, 100))
    patch = raster(outline, 10.0, 20.0)
    assert covered(patch) == pytest.approx((20, 10, 59, 49), abs=1)
    # OpenCV fills the outline too: half a pixel more on each side
    assert patch.area == pytest.approx(np.pi / 4 * 41 * 41, rel=0.02)


def test_the_middle_of_a_ring_is_empty():
    outline = posed(ring(np.random.default_rng(0)), angle=0, aspect=1, side=60, limit=(100, 100))
    patch = raster(outline, 0.0, 0.0)
    height, width = patch.size
    assert patch.cover[height // 2, width // 2] == 0
    assert patch.cover[height // 2, 6] == 255


@pytest.mark.parametrize("shape", [item.shape for item in COCO_LIKE.classes])
@pytest.mark.parametrize("aspect", [0.5, 1.0, 2.0])
def test_a_posed_outline_begins_at_the_origin_and_its_box_has_the_requested_area(shape, aspect):
    outline = posed(shape(np.random.default_rng(1)), angle=0.4, aspect=aspect, side=50, limit=(500, 500))
    points = np.concatenate(outline)
    np.testing.assert_allclose(points.min(0), 0, atol=1e-9)
    assert np.prod(points.max(0)) == pytest.approx(2500)


def test_a_posed_outline_shrinks_to_its_limit_and_keeps_its_shape():
    outline = posed(square(np.random.default_rng(0)), angle=0, aspect=4, side=50, limit=(80, 80))
    width, height = outline[0].max(0)
    assert width == pytest.approx(80)
    assert height == pytest.approx(20, rel=0.15)  # a square leans by up to an eighth


def test_a_crowd_is_nine_to_twenty_five_copies_of_a_shape_in_separate_cells():
    outline = crowd(disc, np.random.default_rng(0))
    cells = {tuple(np.floor(contour.mean(0)).astype(int)) for contour in outline}
    assert len(cells) == len(outline)
    assert 9 <= len(outline) <= 25


def test_the_two_contours_of_a_ring_in_a_crowd_stay_together():
    outline = crowd(ring, np.random.default_rng(0))
    for outer, inner in zip(outline[::2], outline[1::2], strict=True):
        np.testing.assert_allclose(outer.mean(0), inner.mean(0), atol=1e-9)


@pytest.mark.parametrize(
    ("left", "top", "there", "here"),
    [
        (2, 3, (slice(3, 7), slice(2, 5)), (slice(0, 4), slice(0, 3))),
        (-1, -2, (slice(0, 2), slice(0, 2)), (slice(2, 4), slice(1, 3))),
        (9, 8, (slice(8, 10), slice(9, 10)), (slice(0, 2), slice(0, 1))),
        (30, 0, (slice(0, 4), slice(30, 30)), (slice(0, 4), slice(0, 0))),
    ],
)
def test_a_patch_of_4x3_falls_on_the_part_of_a_10x10_image_that_it_covers(left, top, there, here):
    assert overlap((10, 10), (4, 3), left, top) == (there, here)
