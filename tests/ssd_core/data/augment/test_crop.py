"""The batch sampler, compared with a plain loop that follows the original's rules, and with cases by hand."""

from __future__ import annotations

import numpy as np
import pytest

from ssd_core.data.augment.crop import (
    MIN_OVERLAPS,
    WHOLE_XYXY,
    accepted,
    draw_patch,
    objects_in,
    pixel_window,
    trial_patches,
)
from ssd_core.spec.augmentation import Augmentation

Box = tuple[float, float, float, float]
BOXES = np.array([[0.1, 0.2, 0.5, 0.7], [0.6, 0.1, 0.9, 0.4], [0.45, 0.6, 0.55, 0.8]])


def iou(a: Box, b: Box) -> float:
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    common = width * height
    return common / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common)


def one_trial(uniform: np.ndarray) -> Box:
    """One patch from four numbers: scale, bounded aspect ratio, position."""
    scale = 0.3 + 0.7 * uniform[0]
    low, high = max(0.5, scale**2), min(2.0, 1 / scale**2)
    ratio = low + uniform[1] * (high - low)
    width, height = scale * ratio**0.5, scale / ratio**0.5
    left, top = uniform[2] * (1 - width), uniform[3] * (1 - height)
    return left, top, left + width, top + height


def looped_patch(
    boxes: np.ndarray, rng: np.random.Generator, numbers: np.ndarray | None = None
) -> tuple[Box, list[bool]]:
    """Run seven samplers in turn, trial by trial, and choose one of their patches; also return who succeeded."""
    patches: list[Box] = [(0.0, 0.0, 1.0, 1.0)]
    success: list[bool] = []
    for sampler, (lowest, highest) in enumerate([(0.1, 9), (0.3, 9), (0.5, 9), (0.7, 9), (0.9, 9), (0, 1.0)]):
        for trial in range(50):
            patch = one_trial(rng.random(4) if numbers is None else numbers[sampler, trial])
            if any(lowest <= iou(patch, tuple(box)) <= highest for box in boxes):
                patches.append(patch)
                break
        success.append(len(patches) > 1 + sum(success))
    return patches[rng.integers(len(patches))], success


def test_the_patch_equals_that_of_a_loop_over_samplers_and_trials():
    kinds = set()
    for seed in range(300):
        boxes = BOXES[: 1 + seed % 3]
        loop = np.random.default_rng(seed)
        expected, success = looped_patch(boxes, loop, loop.random((6, 50, 4)))
        np.testing.assert_allclose(draw_patch(boxes, np.random.default_rng(seed)), expected, atol=1e-12)
        kinds.add(tuple(success))
    assert len(kinds) > 3  # samplers that fail were among them


@pytest.mark.parametrize("accepts", ["any", "all"])
def test_a_patch_is_accepted_when_a_loop_over_the_objects_finds_enough_overlap(accepts):
    enough = {"any": any, "all": all}[accepts]
    patches = trial_patches(np.random.default_rng(7).random((2000, 4)))
    for lowest in MIN_OVERLAPS:
        expected = [enough(iou(tuple(patch), tuple(box)) >= lowest for box in BOXES) for patch in patches]
        np.testing.assert_array_equal(accepted(patches, BOXES, lowest, accepts), expected)


@pytest.mark.parametrize("lowest", MIN_OVERLAPS)
def test_each_sampler_accepts_the_share_of_patches_that_a_loop_with_its_own_numbers_accepts(lowest):
    count, box = 10_000, BOXES[:1]
    rng = np.random.default_rng(8)
    loop = np.mean([iou(one_trial(rng.random(4)), tuple(box[0])) >= lowest for _ in range(count)])
    share = np.mean(accepted(trial_patches(rng.random((count, 4))), box, lowest))
    assert share == pytest.approx(loop, abs=5 * (2 * max(loop * (1 - loop), 1e-3) / count) ** 0.5)


def drawn_sampler_patch(boxes: np.ndarray, rng: np.random.Generator) -> Box:
    """Draw samplers until one of them finds a patch within 50 trials."""
    while True:
        sampler = rng.integers(7)
        if sampler == 0:
            return 0.0, 0.0, 1.0, 1.0
        lowest = (0.1, 0.3, 0.5, 0.7, 0.9, 0)[sampler - 1]
        for patch in map(one_trial, rng.random((50, 4))):
            if max(iou(patch, tuple(box)) for box in boxes) >= lowest:
                return patch


def test_a_sampler_drawn_first_gives_its_patch_and_a_failed_one_leads_to_another_draw():
    crop = Augmentation(crop_choice="drawn-first")
    for seed in range(300):
        boxes = BOXES[: 1 + seed % 3]
        expected = drawn_sampler_patch(boxes, np.random.default_rng(seed))
        np.testing.assert_allclose(draw_patch(boxes, np.random.default_rng(seed), crop), expected, atol=1e-12)


def test_patches_are_distributed_as_those_of_the_loop_with_numbers_drawn_one_by_one():
    count = 2000
    rng, other = np.random.default_rng(2), np.random.default_rng(3)
    ours = np.array([draw_patch(BOXES, rng) for _ in range(count)])
    loops = np.array([looped_patch(BOXES, other)[0] for _ in range(count)])
    for measure in (patch_scale, patch_ratio, lambda patch: patch[:, 0], lambda patch: patch[:, 1], best_overlap):
        values, expected = measure(ours), measure(loops)
        edges = np.unique(np.quantile(expected, np.linspace(0, 1, 9)))
        edges[0], edges[-1] = -1, 9
        shares, wanted = (np.histogram(sample, bins=edges)[0] / count for sample in (values, expected))
        np.testing.assert_allclose(shares, wanted, atol=4 * (2 * 0.25 / count) ** 0.5)


def patch_scale(patches: np.ndarray) -> np.ndarray:
    return np.sqrt((patches[:, 2] - patches[:, 0]) * (patches[:, 3] - patches[:, 1]))


def patch_ratio(patches: np.ndarray) -> np.ndarray:
    return (patches[:, 2] - patches[:, 0]) / (patches[:, 3] - patches[:, 1])


def best_overlap(patches: np.ndarray) -> np.ndarray:
    return np.array([max(iou(tuple(patch), tuple(box)) for box in BOXES) for patch in patches])


def test_an_object_as_large_as_the_image_keeps_the_whole_image_in_one_of_seven_cases():
    # The overlap is the area s * s of the patch: at least 0.9 in 7.3 % of the trials, so all but 2.3 % of the
    # samplers for 0.9 find a patch, and the others always do: 0.977 / 7 + 0.023 / 6 = 0.143
    rng = np.random.default_rng(4)
    whole = [(draw_patch(WHOLE_XYXY[None], rng) == WHOLE_XYXY).all() for _ in range(4000)]
    assert np.mean(whole) == pytest.approx(0.143, abs=0.022)  # 4 standard deviations


def test_a_tiny_object_leaves_the_whole_image_or_a_random_patch():
    tiny = np.array([[0.5, 0.5, 0.51, 0.51]])  # at most 0.0001 / 0.09 of any patch
    rng = np.random.default_rng(5)
    whole = [(draw_patch(tiny, rng) == WHOLE_XYXY).all() for _ in range(2000)]
    assert np.mean(whole) == pytest.approx(0.5, abs=0.045)


def test_one_object_that_overlaps_enough_is_enough():
    far = np.array([[0.98, 0.98, 0.99, 0.99]])
    with_far = np.concatenate([WHOLE_XYXY[None], far])
    for seed in range(50):
        alone, beside = (draw_patch(boxes, np.random.default_rng(seed)) for boxes in (WHOLE_XYXY[None], with_far))
        np.testing.assert_array_equal(alone, beside)


def test_without_objects_the_patch_is_the_whole_image():
    np.testing.assert_array_equal(draw_patch(np.empty((0, 4)), np.random.default_rng(0)), WHOLE_XYXY)


def test_trials_stay_in_the_image_with_scale_and_ratio_in_range():
    patches = trial_patches(np.random.default_rng(6).random((20_000, 4)))
    assert patches.min() >= 0
    assert patches.max() <= 1
    scale, ratio = patch_scale(patches), patch_ratio(patches)
    np.testing.assert_allclose(np.histogram(scale, bins=7, range=(0.3, 1))[0] / 20_000, 1 / 7, atol=0.01)
    assert ratio.min() >= 0.5 - 1e-9
    assert ratio.max() <= 2 + 1e-9
    assert (ratio >= scale**2 - 1e-9).all()  # wider ones would not be high enough for the image
    assert (ratio <= 1 / scale**2 + 1e-9).all()


def test_an_object_stays_when_its_centre_is_in_the_patch_and_is_clipped_to_it():
    patch = np.array([0.0, 0.0, 0.5, 0.5])
    boxes = np.array(
        [
            [0.1, 0.1, 0.2, 0.2],  # inside
            [0.4, 0.4, 0.58, 0.58],  # centre .49: stays, cut at .5
            [0.4, 0.4, 0.62, 0.62],  # centre .51: goes, though it reaches in
            [0.7, 0.7, 0.9, 0.9],  # outside
        ]
    )
    inside, kept = objects_in(patch, boxes)
    assert kept.tolist() == [0, 1]
    np.testing.assert_allclose(inside, [[0.2, 0.2, 0.4, 0.4], [0.8, 0.8, 1.0, 1.0]])


def test_an_object_whose_centre_lies_on_the_border_of_the_patch_stays():
    inside, kept = objects_in(np.array([0.0, 0.25, 0.5, 0.75]), np.array([[0.375, 0.125, 0.625, 0.375]]))
    assert kept.tolist() == [0]  # its centre is the upper right corner of the patch
    np.testing.assert_allclose(inside, [[0.75, 0.0, 1.0, 0.25]])


def test_a_patch_may_hold_no_object_at_all():
    inside, kept = objects_in(np.array([0.0, 0.0, 0.3, 0.3]), BOXES[1:2])
    assert (inside.shape, kept.tolist()) == ((0, 4), [])


def test_the_whole_image_clips_boxes_that_reach_out_of_it():
    inside, _ = objects_in(WHOLE_XYXY, np.array([[-0.1, 0.2, 0.5, 1.02]]))
    np.testing.assert_allclose(inside, [[0.0, 0.2, 0.5, 1.0]])


def test_pixel_windows_truncate_fractions_and_keep_at_least_one_pixel():
    assert pixel_window(np.array([0.25, 0.5, 0.999, 1.0]), 10, 10) == (2, 5, 9, 10)  # 7.49 pixels are 7
    assert pixel_window(np.array([0.1, 0.2, 0.4, 0.5]), 3, 3) == (0, 0, 1, 1)
    assert pixel_window(WHOLE_XYXY, 7, 5) == (0, 0, 7, 5)
