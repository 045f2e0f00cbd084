"""Distributions of each step's random numbers, compared with closed forms of the original's rules."""

from __future__ import annotations

from collections import Counter
from itertools import product
from math import sqrt
from typing import Any

import numpy as np
import pytest

from ssd_core.data.augment.crop import MIN_OVERLAPS, WHOLE_XYXY, accepted, draw_patch, trial_patches
from ssd_core.data.augment.expand import draw_canvas, plain_canvas
from ssd_core.data.augment.photometric import draw_distortion
from ssd_core.data.augment.pipeline import INTERPOLATIONS, draw_plan
from ssd_core.spec.augmentation import FLIP_AND_COLOUR, FLIP_ONLY, PAPER, Augmentation

MANY = 40_000
SCALES = np.linspace(0.3, 1.0, 20_001)
"""Scales, fine enough to integrate over by a mean."""


def trials(aspect_ratio: Any = "bounded") -> np.ndarray:
    return trial_patches(np.random.default_rng(0).random((MANY, 4)), aspect_ratio)


def sides(patches: np.ndarray) -> np.ndarray:
    return patches[:, 2:] - patches[:, :2]


@pytest.mark.parametrize("aspect_ratio", ["bounded", "clamped"])
def test_the_scale_of_a_patch_is_uniform(aspect_ratio, assert_uniform):
    width, height = sides(trials(aspect_ratio)).T
    assert_uniform(np.sqrt(width * height).round(12), 0.3, 1.0)


def test_a_bounded_aspect_ratio_is_uniform_in_what_fits_at_its_scale(assert_distributed):
    def cumulative(ratio: np.ndarray) -> np.ndarray:
        low, high = np.maximum(0.5, SCALES**2), np.minimum(2, 1 / SCALES**2)
        grid = np.linspace(0.5, 2, 301)
        values = [np.mean(np.clip((point - low[:-1]) / (high - low)[:-1], 0, 1)) for point in grid]
        return np.interp(ratio, grid, values)

    width, height = sides(trials()).T
    assert_distributed(width / height, cumulative)


def test_a_clamped_aspect_ratio_is_uniform_where_it_fits_and_at_the_limit_elsewhere(assert_distributed, assert_share):
    def cumulative(ratio: np.ndarray) -> np.ndarray:
        grid = np.linspace(0.5, 2, 301)
        drawn = (grid - 0.5) / 1.5
        values = [
            np.mean(np.where(point < SCALES**2, 0, np.where(point >= 1 / SCALES**2, 1, share)))
            for point, share in zip(grid, drawn, strict=True)
        ]
        return np.interp(ratio, grid, values)

    width, height = sides(trials("clamped")).T
    assert_distributed(width / height, cumulative)
    # As high as the image: the mean over s of (s^2 - 1/2) / 1.5 where that is positive, s from sqrt(1/2) to 1:
    # (1/3 - 1/2 - (0.117851 - 0.353553)) / 1.05 = 0.0657; as wide: of (2 - 1/s^2) / 1.5: (3 - 2.828427) / 1.05
    assert_share(height > 1 - 1e-9, 0.06575)
    assert_share(width > 1 - 1e-9, 0.16340)


def test_a_bounded_aspect_ratio_makes_a_patch_as_high_as_the_image_only_at_scale_one():
    assert (sides(trials()) > 1 - 1e-9).sum() < 5


def test_the_place_of_a_patch_is_uniform_and_its_columns_do_not_depend_on_its_rows(assert_uniform, assert_share):
    patches = trials()
    left, top = (patches[:, :2] / (1 - sides(patches)).clip(1e-12)).T
    assert_uniform(left.round(9), 0, 1)
    assert_uniform(top.round(9), 0, 1)
    assert_share((left < 0.5) & (top < 0.5), 0.25)


@pytest.mark.parametrize("aspect_ratio", ["bounded", "clamped"])
def test_each_sampler_accepts_patches_of_an_object_as_large_as_the_image_by_their_area(aspect_ratio, assert_share):
    # the overlap is the area s^2, and s is uniform from 0.3 to 1
    for lowest in MIN_OVERLAPS:
        expected = min(1.0, (1 - sqrt(lowest)) / 0.7)
        assert_share(accepted(trials(aspect_ratio), WHOLE_XYXY[None], lowest), expected)


def test_a_sampler_accepts_the_share_of_patches_that_an_integral_over_scale_ratio_and_place_gives():
    # For the object (0, 0, 0.5, 1), which no patch overlaps by less for its row
    grid = (np.arange(60) + 0.5) / 60
    scale, ratio, place = (axis.ravel() for axis in np.meshgrid(0.3 + 0.7 * grid, grid, grid))
    low, high = np.maximum(0.5, scale**2), np.minimum(2, 1 / scale**2)
    ratio = low + ratio * (high - low)
    width, height = scale * np.sqrt(ratio), scale / np.sqrt(ratio)
    left = place * (1 - width)
    common = np.clip(np.minimum(left + width, 0.5) - left, 0, None) * height
    overlap = common / (0.5 + width * height - common)
    half = np.array([[0.0, 0.0, 0.5, 1.0]])
    shares = {lowest: np.mean(overlap >= lowest) for lowest in (0.1, 0.3, 0.5)}
    assert shares[0.1] > shares[0.3] > shares[0.5] > 0.05
    for lowest, share in shares.items():
        assert np.mean(accepted(trials(), half, lowest)) == pytest.approx(share, abs=0.015)  # 5 deviations and the grid


@pytest.mark.parametrize(
    ("crop", "expected"),
    [
        # all but 2.2 % of the samplers for 0.9 find a patch: (1 - (1 - 0.0733) ** 50 = 0.978), the others always do
        (PAPER, 0.978 / 7 + 0.022 / 6),
        (Augmentation(crop_choice="drawn-first"), 1 / (1 + 5 + 0.978)),
        (Augmentation(aspect_ratio="clamped"), 0.978 / 7 + 0.022 / 6),
    ],
    ids=["released code", "drawn first", "clamped"],
)
def test_for_an_object_as_large_as_the_image_one_in_seven_crops_is_the_whole_image(crop, expected, assert_share):
    rng = np.random.default_rng(1)
    patches = np.array([draw_patch(WHOLE_XYXY[None], rng, crop) for _ in range(4000)])
    assert_share((patches == WHOLE_XYXY).all(axis=1), expected)


@pytest.mark.parametrize("choice", ["among-succeeded", "drawn-first"])
def test_when_all_objects_must_overlap_enough_a_tiny_one_leaves_the_whole_image_or_a_random_patch(choice, assert_share):
    both = np.array([[0.0, 0.0, 1.0, 1.0], [0.5, 0.5, 0.51, 0.51]])
    rng = np.random.default_rng(2)
    crop = Augmentation(crop_choice=choice, crop_accepts="all")
    patches = np.array([draw_patch(both, rng, crop) for _ in range(2000)])
    assert_share((patches == WHOLE_XYXY).all(axis=1), 0.5)


def test_half_of_the_canvases_are_larger_by_a_factor_that_is_uniform_with_the_image_anywhere(
    assert_share, assert_uniform
):
    rng, side = np.random.default_rng(3), 1_000_000  # so that whole pixels do not matter
    canvases = [draw_canvas(side, side, rng) for _ in range(20_000)]
    larger = [canvas for canvas in canvases if canvas != plain_canvas(side, side)]
    assert_share(np.array([canvas != plain_canvas(side, side) for canvas in canvases]), 0.5)
    assert_uniform(np.array([canvas.width / side for canvas in larger]), 1, 4)
    left, top = np.array([(canvas.left, canvas.top) for canvas in larger]).T / [[c.width - side for c in larger]]
    assert_uniform(left, 0, 1)
    assert_uniform(top, 0, 1)
    assert_share((left < 0.5) & (top < 0.5), 0.25)


@pytest.mark.parametrize(("unit", "most"), [("opencv", 18), ("degrees", 9)])
def test_each_colour_change_has_probability_one_half_independent_of_the_others_and_is_uniform(
    unit, most, assert_share, assert_uniform
):
    rng = np.random.default_rng(4)
    drawn = [draw_distortion(rng, unit) for _ in range(MANY)]
    changed = np.array([(d.brightness != 0, d.contrast != 1, d.saturation != 1, d.hue != 0) for d in drawn])
    order = np.array([d.contrast_first for d in drawn])
    for combination in product([False, True], repeat=5):
        assert_share((np.column_stack([changed, order]) == combination).all(axis=1), 1 / 32)
    ranges = {"brightness": (-32, 32), "contrast": (0.5, 1.5), "saturation": (0.5, 1.5), "hue": (-most, most)}
    for column, (name, (low, high)) in enumerate(ranges.items()):
        assert_uniform(np.array([getattr(d, name) for d in drawn])[changed[:, column]], low, high)


def test_the_setting_of_the_hue_reaches_the_plan():
    hues = {
        unit: max(
            abs(draw_plan(10, 10, WHOLE_XYXY[None], Augmentation(hue=unit), np.random.default_rng(seed)).distortion.hue)
            for seed in range(200)
        )
        for unit in ("opencv", "degrees")
    }
    assert hues["opencv"] == pytest.approx(2 * hues["degrees"])
    assert 17 < hues["opencv"] < 18


def test_a_plan_flips_half_of_the_images_and_draws_each_interpolation_equally(assert_share):
    rng = np.random.default_rng(5)
    plans = [draw_plan(10, 10, np.empty((0, 4)), PAPER, rng) for _ in range(MANY // 4)]
    assert_share(np.array([plan.flip for plan in plans]), 0.5)
    for mode in INTERPOLATIONS:
        assert_share(np.array([plan.interpolation == mode for plan in plans]), 0.2)


def test_without_more_augmentation_only_the_flip_remains_and_in_one_reading_the_colours():
    for augmentation, distorted in ((FLIP_ONLY, False), (FLIP_AND_COLOUR, True)):
        rng = np.random.default_rng(6)
        plans = [draw_plan(10, 10, WHOLE_XYXY[None] / 2, augmentation, rng) for _ in range(200)]
        assert all((plan.patch_xyxy == WHOLE_XYXY).all() and plan.canvas == plain_canvas(10, 10) for plan in plans)
        assert len(Counter(plan.interpolation for plan in plans)) == 1
        assert any(plan.distortion.brightness for plan in plans) == distorted
