"""Confusion matrices, by hand."""

from __future__ import annotations

import numpy as np

from ssd_core.metrics.analysis.confusion import confusion_matrix
from ssd_core.metrics.voc_ap import ScoredBoxes, TrueBoxes

A, B, FAR = (1, 1, 10, 10), (41, 41, 60, 60), (200, 200, 220, 220)


def matrix(found, objects, difficult=()):
    """`found` are (class, score, box), `objects` (class, box), of two classes in one image; threshold 0.5."""
    detections = ScoredBoxes(
        images=np.zeros(len(found), int),
        labels=np.array([label for label, _, _ in found], int),
        scores=np.array([score for _, score, _ in found], float),
        boxes_xyxy=np.array([box for _, _, box in found], float).reshape(-1, 4),
    )
    truth = TrueBoxes(
        images=np.zeros(len(objects), int),
        labels=np.array([label for label, _ in objects], int),
        boxes_xyxy=np.array([box for _, box in objects], float).reshape(-1, 4),
        difficult=np.isin(np.arange(len(objects)), difficult),
    )
    return confusion_matrix(detections, truth, class_count=2, score_threshold=0.5).tolist()


def test_rows_are_objects_columns_detections_and_the_last_of_both_is_background():
    found = [(0, 0.9, A), (0, 0.8, B), (1, 0.7, FAR)]
    # The object of class 0 is detected, that of class 1 taken for class 0, FAR is background; class 1 at 0 is missed
    objects = [(0, A), (1, B), (1, (300, 1, 310, 10))]
    assert matrix(found, objects) == [[1, 0, 0], [1, 0, 1], [0, 1, 0]]


def test_the_higher_score_decides_what_an_object_was_taken_for_and_the_other_is_a_false_alarm():
    assert matrix([(0, 0.8, A), (1, 0.9, A)], [(0, A)]) == [[0, 1, 0], [0, 0, 0], [1, 0, 0]]


def test_detections_below_the_threshold_are_ignored():
    assert matrix([(0, 0.49, A)], [(0, A)]) == [[0, 0, 1], [0, 0, 0], [0, 0, 0]]


def test_a_difficult_object_is_neither_detected_nor_missed():
    assert matrix([(1, 0.9, A)], [(0, A), (0, B)], difficult=(0, 1)) == [[0, 0, 0]] * 3


def test_each_object_that_counts_is_in_its_row_once():
    rng = np.random.default_rng(0)
    corners = rng.integers(1, 60, (40, 2))
    boxes = np.concatenate([corners, corners + 20], 1)
    found = [(int(rng.integers(2)), float(rng.random()), box) for box in boxes[:30]]
    objects = [(number % 2, box) for number, box in enumerate(boxes[20:])]
    rows = matrix(found, objects, difficult=(0, 3))
    assert [sum(row) for row in rows[:2]] == [9, 9]  # of 10 each, one difficult
