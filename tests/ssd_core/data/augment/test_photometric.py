"""Colour distortion; expected values by 8-bit arithmetic by hand, and from OpenCV's own scaling."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ssd_core.data.augment.photometric import Distortion, distort, draw_distortion


def pixel(red: int, green: int, blue: int) -> np.ndarray:
    return np.array([[[red, green, blue]]], np.uint8)


def from_hsv(hue: int, saturation: int, value: int) -> np.ndarray:
    return cv2.cvtColor(pixel(hue, saturation, value), cv2.COLOR_HSV2RGB)


def hue_of(image: np.ndarray) -> int:
    return int(cv2.cvtColor(image, cv2.COLOR_RGB2HSV)[0, 0, 0])


def test_brightness_saturates_at_both_ends():
    assert distort(pixel(250, 100, 5), Distortion(brightness=32.0)).tolist() == [[[255, 132, 37]]]
    assert distort(pixel(250, 100, 5), Distortion(brightness=-32.0)).tolist() == [[[218, 68, 0]]]


def test_contrast_scales_and_saturates():
    assert distort(pixel(200, 100, 3), Distortion(contrast=1.5)).tolist() == [[[255, 150, 4]]]  # 4.5 goes to even


@pytest.mark.parametrize("factor", [0.5, 1.5, 0.8731, 1.31])
@pytest.mark.parametrize("offset", [0.0, 13.37, -7.6, 0.4])
def test_values_are_scaled_and_shifted_in_exact_arithmetic_and_rounded_half_to_even(factor: float, offset: float):
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    shifted = np.clip(np.rint(ramp + offset), 0, 255)
    expected = np.clip(np.rint(shifted * factor), 0, 255)
    np.testing.assert_array_equal(distort(ramp, Distortion(brightness=offset, contrast=factor)), expected)


def test_a_hue_that_falls_below_zero_stays_at_zero_and_does_not_wrap():
    orange_red = from_hsv(3, 255, 255)
    assert hue_of(orange_red) == 3
    np.testing.assert_array_equal(distort(orange_red, Distortion(hue=-18.0)), pixel(255, 0, 0))


def test_a_hue_that_rises_above_its_maximum_wraps_around():
    pink_red = from_hsv(175, 255, 255)
    assert hue_of(pink_red) == 175
    assert hue_of(distort(pink_red, Distortion(hue=10.0))) == 5  # 185 - 180


def test_hue_has_units_of_two_degrees():
    red = pixel(255, 0, 0)
    assert hue_of(distort(red, Distortion(hue=15.0))) == 15
    np.testing.assert_array_equal(distort(red, Distortion(hue=30.0)), pixel(255, 255, 0))  # 60 degrees: yellow


def test_saturation_scales_towards_grey():
    np.testing.assert_array_equal(distort(pixel(200, 100, 100), Distortion(saturation=0.5)), pixel(200, 150, 150))


def test_every_step_saturates_before_the_next():
    brightened = distort(pixel(250, 100, 5), Distortion(brightness=32.0))
    darkened = distort(brightened, Distortion(contrast=0.5))
    both = distort(pixel(250, 100, 5), Distortion(brightness=32.0, contrast=0.5))
    np.testing.assert_array_equal(both, darkened)
    assert both[0, 0, 0] == 128  # 255 / 2 to even; without saturation in between 282 / 2 = 141


def test_contrast_before_or_after_saturation_matters():
    colour = pixel(250, 200, 10)
    first = distort(colour, Distortion(contrast=1.5, saturation=0.5, contrast_first=True))
    last = distort(colour, Distortion(contrast=1.5, saturation=0.5, contrast_first=False))
    saturated = distort(distort(colour, Distortion(contrast=1.5)), Distortion(saturation=0.5))
    np.testing.assert_array_equal(first, saturated)
    assert (first != last).any()


def test_the_default_distortion_returns_the_pixels_unchanged():
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    np.testing.assert_array_equal(distort(image, Distortion()), image)


def test_each_step_is_drawn_half_of_the_time_within_its_range():
    rng = np.random.default_rng(1)
    drawn = [draw_distortion(rng) for _ in range(4000)]
    for name, neutral, low, high in (
        ("brightness", 0, -32, 32), ("contrast", 1, 0.5, 1.5), ("saturation", 1, 0.5, 1.5), ("hue", 0, -18, 18),
    ):  # fmt: skip
        values = np.array([getattr(distortion, name) for distortion in drawn])
        changed = values[values != neutral]
        assert len(changed) / 4000 == pytest.approx(0.5, abs=0.03)  # 4 standard deviations of 0.5 / sqrt(4000)
        quarters = np.histogram(changed, bins=4, range=(low, high))[0] / len(changed)
        np.testing.assert_allclose(quarters, 0.25, atol=0.04)  # 4 x sqrt(.25 x .75 / 2000)
    assert np.mean([distortion.contrast_first for distortion in drawn]) == pytest.approx(0.5, abs=0.03)


def test_distorting_a_crop_equals_cropping_the_distorted_image_up_to_rounding_at_the_ends_of_rows():
    image = np.random.default_rng(0).integers(0, 256, (40, 500, 3), dtype=np.uint8)
    rng = np.random.default_rng(2)
    for _ in range(50):
        distortion = draw_distortion(rng)
        ours, whole = distort(image[5:30, 30:370], distortion), distort(image, distortion)[5:30, 30:370]
        np.testing.assert_array_equal(ours[:, :-64], whole[:, :-64])  # 64: the widest vectors there are
        np.testing.assert_allclose(ours, whole, atol=3)
