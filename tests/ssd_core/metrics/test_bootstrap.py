"""The paired bootstrap: exact where nothing differs, correct where a difference was planted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ssd_core.metrics.bootstrap import image_weights, interval, replicate_map
from ssd_core.metrics.voc_ap import Outcomes, ScoredBoxes, TrueBoxes, class_result, evaluate, judge, mean_result


def detector(seed: int, quality: float, *, images: int = 120) -> list[Outcomes]:
    """Two classes, one object of each per image, detected with probability `quality`, and as many false boxes."""
    rng = np.random.default_rng(seed)
    outcomes = []
    for _ in range(2):
        found = np.flatnonzero(rng.random(images) < quality)
        true = np.concatenate([np.ones(len(found), bool), np.zeros(images, bool)])
        order = np.argsort(-(rng.random(len(true)) + 0.4 * true), kind="stable")
        outcomes.append(
            Outcomes(
                images=np.concatenate([found, rng.integers(0, images, images)])[order],
                true=true[order],
                counted=np.ones(len(true), bool),
                object_images=np.arange(images),
            )
        )
    return outcomes


def test_every_replicate_draws_as_many_images_as_there_are():
    weights = image_weights(50, 200, np.random.default_rng(0))
    assert weights.shape == (200, 50)
    assert (weights.sum(axis=1) == 50).all()
    assert weights.mean(axis=0) == pytest.approx(np.ones(50), abs=0.4)
    assert (image_weights(50, 200, np.random.default_rng(0)) == weights).all()


def test_the_replicate_that_draws_each_image_once_is_the_protocols_own_number():
    outcomes = detector(1, 0.7)
    (value,) = replicate_map(outcomes, np.ones((1, 120), np.int64))
    assert value == mean_result([class_result(item) for item in outcomes]).ap_11point


def test_without_levels_it_is_the_area_of_the_protocol():
    outcomes = detector(1, 0.7)
    (value,) = replicate_map(outcomes, np.ones((1, 120), np.int64), levels=None)
    assert value == pytest.approx(mean_result([class_result(item) for item in outcomes]).ap_area, abs=1e-12)


def test_a_replicate_equals_the_protocol_on_copies_of_the_drawn_images():
    rng = np.random.default_rng(3)
    truth_images, found_images = np.repeat(np.arange(8), 2), rng.integers(0, 8, 40)
    corners = rng.integers(0, 3, (16, 1)) * 40.0
    true_boxes = np.hstack([corners, corners, corners + 20, corners + 20])
    places = rng.integers(0, 3, (40, 1)) * 40.0
    boxes = np.hstack([places, places, places + 20, places + 20])
    scores, difficult = rng.permutation(40) / 40, rng.random(16) < 0.2
    drawn = np.array([2, 0, 1, 3, 0, 1, 1, 0])

    def copies(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rows of the drawn images, repeated as often as drawn, and the image number of each copy."""
        rows = [(row, image + 8 * time) for row, image in enumerate(images) for time in range(drawn[image])]
        return np.array([row for row, _ in rows]), np.array([image for _, image in rows])

    once = judge(
        ScoredBoxes(images=found_images, labels=np.zeros(40, int), scores=scores, boxes_xyxy=boxes),
        TrueBoxes(images=truth_images, labels=np.zeros(16, int), boxes_xyxy=true_boxes, difficult=difficult),
        class_count=1,
    )
    (truth_rows, truth_copies), (found_rows, found_copies) = copies(truth_images), copies(found_images)
    (expected,) = evaluate(
        ScoredBoxes(
            images=found_copies,
            labels=np.zeros(len(found_rows), int),
            scores=scores[found_rows],
            boxes_xyxy=boxes[found_rows],
        ),
        TrueBoxes(
            images=truth_copies,
            labels=np.zeros(len(truth_rows), int),
            boxes_xyxy=true_boxes[truth_rows],
            difficult=difficult[truth_rows],
        ),
        class_count=1,
    )
    assert 0 < expected.ap_11point < 1
    assert replicate_map(once, drawn[None]) == pytest.approx([expected.ap_11point])


def test_a_detector_compared_with_itself_differs_by_exactly_zero():
    outcomes, weights = detector(1, 0.7), image_weights(120, 50, np.random.default_rng(0))
    difference = replicate_map(outcomes, weights) - replicate_map(detector(1, 0.7), weights)
    assert interval(difference) == (0.0, 0.0)


def test_the_interval_contains_a_planted_difference_and_excludes_zero():
    weights = image_weights(120, 300, np.random.default_rng(0))
    better, worse = detector(1, 0.9), detector(2, 0.5)
    low, high = interval(replicate_map(better, weights) - replicate_map(worse, weights))
    assert 0 < low < high
    (observed,) = replicate_map(better, np.ones((1, 120), np.int64)) - replicate_map(worse, np.ones((1, 120), np.int64))
    assert low < observed < high


def test_the_interval_is_the_middle_part_of_the_replicates():
    low, high = interval(np.arange(101.0), level=0.9)
    assert (low, high) == (pytest.approx(5), pytest.approx(95))


def test_detections_of_difficult_objects_count_neither_way():
    (outcomes, _) = detector(1, 0.7)
    spoilt = np.insert(outcomes.true, 0, False)
    with_difficult = replace(
        outcomes,
        images=np.insert(outcomes.images, 0, 0),
        true=spoilt,
        counted=np.insert(outcomes.counted, 0, False),
    )
    weights = image_weights(120, 20, np.random.default_rng(0))
    assert (replicate_map([with_difficult], weights) == replicate_map([outcomes], weights)).all()
    counted = replace(with_difficult, counted=np.insert(outcomes.counted, 0, True))
    assert (replicate_map([counted], weights) != replicate_map([outcomes], weights)).any()


def test_a_class_without_objects_in_a_replicate_is_excluded_from_its_mean():
    (outcomes, _) = detector(1, 0.7)
    rare = replace(outcomes, object_images=np.array([0]), true=np.zeros_like(outcomes.true))
    weights = np.ones((2, 120), np.int64)
    weights[1, 0] = 0
    alone = replicate_map([outcomes], weights)
    assert replicate_map([outcomes, rare], weights) == pytest.approx([alone[0] / 2, alone[1]])
    assert np.isnan(replicate_map([rare], weights)).tolist() == [False, True]
