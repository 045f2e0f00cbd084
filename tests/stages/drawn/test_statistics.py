"""Random images and objects have the statistics that were measured on VOC2007."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from stages.drawn import statistics
from stages.drawn.statistics import LEVELS, from_quantiles, image_size, wanted_object, wanted_objects

ROWS = (*statistics.SCALES, *statistics.RATIOS, statistics.IMAGE_SHAPES)


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("quantiles", ROWS)
def test_quantiles_rise_and_are_one_for_each_level(quantiles: tuple[float, ...]) -> None:
    assert len(quantiles) == len(LEVELS)
    assert list(quantiles) == sorted(quantiles)


def test_shares_add_up_to_one_and_there_is_one_for_each_range_of_scales() -> None:
    assert sum(statistics.COUNTS) == pytest.approx(1, abs=1e-3)
    assert len(statistics.DIFFICULT) == len(statistics.CUT) == len(statistics.SHARES_UP_TO) + 1
    assert len(statistics.SCALES) == len(statistics.SCALES_UP_TO) + 1
    assert len(statistics.RATIOS) == len(statistics.RATIOS_UP_TO) + 1


def test_numbers_drawn_from_quantiles_have_these_quantiles() -> None:
    rng = generator()
    drawn = [from_quantiles(statistics.RATIOS[0], rng) for _ in range(4000)]
    assert np.quantile(drawn, LEVELS[1:-1]) == pytest.approx(statistics.RATIOS[0][1:-1], rel=0.12)
    assert statistics.RATIOS[0][0] <= min(drawn) <= max(drawn) <= statistics.RATIOS[0][-1]


def test_images_have_as_many_objects_as_those_of_voc2007_the_largest_first() -> None:
    rng = generator()
    images = [wanted_objects(rng) for _ in range(3000)]
    counts = np.array([len(objects) for objects in images])
    assert counts.mean() == pytest.approx(3.13, abs=0.2)
    assert (counts == 1).mean() == pytest.approx(0.372, abs=0.03)
    assert all(one.scale >= other.scale for objects in images for one, other in pairwise(objects))
    scales = [item.scale for objects in images for item in objects]
    assert np.quantile(scales, [0.1, 0.5, 0.9]) == pytest.approx([0.075, 0.257, 0.714], rel=0.1)


def test_more_than_half_of_the_objects_are_longer_than_one_and_a_half_times_their_width() -> None:
    rng = generator()
    ratios = np.array([item.ratio for _ in range(2000) for item in wanted_objects(rng)])
    longer = np.maximum(ratios, 1 / ratios)
    assert (longer > 1.5).mean() == pytest.approx(0.55, abs=0.03)
    assert (longer > 2).mean() == pytest.approx(0.307, abs=0.03)


def test_small_objects_are_difficult_more_often_and_large_ones_are_cut_more_often() -> None:
    rng = generator()
    small, large = ([wanted_object(scale, rng) for _ in range(1000)] for scale in (0.05, 0.9))
    assert np.mean([item.difficult for item in small]) == pytest.approx(0.78, abs=0.05)
    assert np.mean([item.difficult for item in large]) == pytest.approx(0.07, abs=0.03)
    assert np.mean([item.cut for item in small]) == pytest.approx(0.05, abs=0.03)
    assert np.mean([item.cut for item in large]) == pytest.approx(0.66, abs=0.05)


def test_the_longer_side_of_an_image_is_the_larger_one_and_no_side_is_below_the_smaller_one() -> None:
    rng = generator()
    sizes = np.array([image_size((128, 200), rng) for _ in range(1000)])
    assert (sizes.max(1) == 200).all()
    assert sizes.min() == 128
    assert (sizes[:, 0] > sizes[:, 1]).mean() == pytest.approx(statistics.PORTRAITS, abs=0.04)
