"""All steps on one image, compared with the plain order of the original: distort, expand, crop, resize, flip."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from ssd_core.data.augment.crop import draw_patch, objects_in, pixel_window
from ssd_core.data.augment.expand import draw_canvas
from ssd_core.data.augment.photometric import distort, draw_distortion
from ssd_core.data.augment.pipeline import INTERPOLATIONS, Augmented, augment, draw_interpolation
from ssd_core.spec.augmentation import FLIP_ONLY, PAPER, STARRED, Augmentation

FILL = (123, 117, 104)
BOXES = np.array([[0.1, 0.2, 0.5, 0.7], [0.6, 0.1, 0.9, 0.4]])
NOTHING = replace(FLIP_ONLY, flip=False)


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    """161 x 117 pixels of smooth noise: odd sides exercise the scalar tails of OpenCV's vector loops."""
    noise = np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    return cv2.resize(noise, (161, 117), interpolation=cv2.INTER_CUBIC)


def in_plain_order(
    image: np.ndarray, boxes: np.ndarray, augmentation: Augmentation, size: int, rng: np.random.Generator
) -> Augmented:
    """Apply every step to the whole image, as the original does."""
    kept = np.arange(len(boxes))
    if augmentation.photometric:
        image = distort(image, draw_distortion(rng))
    if augmentation.expand:
        canvas = draw_canvas(image.shape[1], image.shape[0], rng)
        expanded = np.full((canvas.height, canvas.width, 3), FILL, np.uint8)
        expanded[canvas.top : canvas.top + image.shape[0], canvas.left : canvas.left + image.shape[1]] = image
        image, boxes = expanded, canvas.place(boxes)
    if augmentation.crop:
        patch = draw_patch(boxes, rng)
        left, top, right, bottom = pixel_window(patch, image.shape[1], image.shape[0])
        image = image[top:bottom, left:right]
        boxes, kept = objects_in(patch, boxes)
    interpolation = draw_interpolation(rng) if augmentation.random_interpolation else cv2.INTER_LINEAR
    image = cv2.resize(image, (size, size), interpolation=interpolation)
    if augmentation.flip and rng.random() < 0.5:
        image = image[:, ::-1]
        boxes = np.stack([1 - boxes[:, 2], boxes[:, 1], 1 - boxes[:, 0], boxes[:, 3]], axis=1)
    return Augmented(image, boxes, kept)


@pytest.mark.parametrize("augmentation", [PAPER, FLIP_ONLY], ids=["paper", "flip only"])
def test_processing_only_visible_pixels_gives_the_pixels_of_the_plain_order(image, augmentation):
    exactly = replace(augmentation, photometric=False)
    for seed in range(120):
        ours = augment(image, BOXES, exactly, size=64, fill_rgb=FILL, rng=np.random.default_rng(seed))
        plain = in_plain_order(image, BOXES, exactly, 64, np.random.default_rng(seed))
        np.testing.assert_allclose(ours.image.astype(int), plain.image, atol=1)  # 1: rounding of Lanczos


@pytest.mark.parametrize("augmentation", [PAPER, STARRED, FLIP_ONLY], ids=["paper", "starred", "flip only"])
def test_boxes_are_exactly_those_of_the_plain_order_and_pixels_within_a_level_on_average(image, augmentation):
    for seed in range(120):
        ours = augment(image, BOXES, augmentation, size=64, fill_rgb=FILL, rng=np.random.default_rng(seed))
        plain = in_plain_order(image, BOXES, augmentation, 64, np.random.default_rng(seed))
        np.testing.assert_array_equal(ours.boxes_xyxy, plain.boxes_xyxy)
        np.testing.assert_array_equal(ours.kept, plain.kept)
        assert np.abs(ours.image.astype(int) - plain.image).mean() <= 1


def test_distorting_only_the_patch_differs_from_distorting_all_only_by_rounding(image):
    differences = []
    for seed in range(120):
        ours = augment(image, BOXES, PAPER, size=64, fill_rgb=FILL, rng=np.random.default_rng(seed))
        plain = in_plain_order(image, BOXES, PAPER, 64, np.random.default_rng(seed))
        differences.append(np.abs(ours.image.astype(int) - plain.image))
    assert np.max(differences) <= 4
    assert np.mean(differences) < 0.1
    assert np.mean([not difference.any() for difference in differences]) > 0.25  # no saturation and no hue: the same


def test_a_box_stays_around_its_object():
    canvas = np.zeros((600, 900, 3), np.uint8)
    canvas[180:360, 270:540] = 255
    boxes = np.array([[270 / 900, 180 / 600, 540 / 900, 360 / 600]])
    plan = replace(STARRED, photometric=False)
    checked = 0
    for seed in range(100):
        result = augment(canvas, boxes, plan, size=300, fill_rgb=(0, 0, 0), rng=np.random.default_rng(seed))
        for box in result.boxes_xyxy:
            rows, columns = np.nonzero(result.image[..., 0] > 127)
            seen = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
            np.testing.assert_allclose(seen, box * 300, atol=6)  # the patch has whole pixels, of 2.4 here at most
            checked += 1
    assert checked > 60


def test_the_flip_mirrors_half_of_the_images_with_their_boxes(image):
    flipped = 0
    for seed in range(400):
        result = augment(image, BOXES[:1], FLIP_ONLY, size=50, fill_rgb=FILL, rng=np.random.default_rng(seed))
        plain = cv2.resize(image, (50, 50), interpolation=cv2.INTER_LINEAR)
        if (result.image == plain).all():
            np.testing.assert_allclose(result.boxes_xyxy, [[0.1, 0.2, 0.5, 0.7]])
        else:
            np.testing.assert_array_equal(result.image, plain[:, ::-1])
            np.testing.assert_allclose(result.boxes_xyxy, [[0.5, 0.2, 0.9, 0.7]])
            flipped += 1
    assert flipped / 400 == pytest.approx(0.5, abs=0.1)


def test_with_all_steps_off_only_the_resize_remains(image):
    result = augment(image, BOXES, NOTHING, size=50, fill_rgb=FILL, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(result.image, cv2.resize(image, (50, 50), interpolation=cv2.INTER_LINEAR))
    np.testing.assert_allclose(result.boxes_xyxy, BOXES)


def test_the_input_image_is_not_changed(image):
    before = image.copy()
    for seed in range(20):
        augment(image, BOXES, STARRED, size=50, fill_rgb=FILL, rng=np.random.default_rng(seed))
    np.testing.assert_array_equal(image, before)


def test_an_image_of_one_pixel_and_no_objects_is_legal():
    for seed in range(20):
        dot = np.full((1, 1, 3), 7, np.uint8)
        result = augment(dot, np.empty((0, 4)), STARRED, size=8, fill_rgb=FILL, rng=np.random.default_rng(seed))
        assert result.image.shape == (8, 8, 3)
        assert result.boxes_xyxy.shape == (0, 4)


def test_the_five_interpolations_are_equally_likely():
    rng = np.random.default_rng(0)
    drawn = [draw_interpolation(rng) for _ in range(5000)]
    shares = [drawn.count(mode) / 5000 for mode in INTERPOLATIONS]
    assert sorted(INTERPOLATIONS) == [
        cv2.INTER_NEAREST,
        cv2.INTER_LINEAR,
        cv2.INTER_CUBIC,
        cv2.INTER_AREA,
        cv2.INTER_LANCZOS4,
    ]
    np.testing.assert_allclose(shares, 0.2, atol=0.023)
