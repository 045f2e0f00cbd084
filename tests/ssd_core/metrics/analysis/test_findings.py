"""Kinds of detections, by hand. Boxes of 10x10 pixels count both corners: (1, 1, 10, 10)."""

from __future__ import annotations

import numpy as np
import pytest

from ssd_core.metrics.analysis.findings import FALSE, IGNORED, TRUE, Kind, find
from ssd_core.metrics.voc_ap import ScoredBoxes, TrueBoxes

CAT, DOG, CAR = 0, 1, 2

A = (1, 1, 10, 10)
A_SHIFTED_BY_3 = (4, 1, 13, 10)  # 70 of 130 pixels: IoU 0.54 with A
A_SHIFTED_BY_5 = (6, 1, 15, 10)  # 50 of 150 pixels: IoU 0.33
A_SHIFTED_BY_9 = (10, 1, 19, 10)  # 10 of 190 pixels: IoU 0.05
B, FAR = (41, 41, 60, 60), (200, 200, 220, 220)


def found(*boxes, label=CAT, image=0):
    """Detections by descending score."""
    return ScoredBoxes(
        images=np.full(len(boxes), image),
        labels=np.full(len(boxes), label),
        scores=np.linspace(1, 0.5, len(boxes)),
        boxes_xyxy=np.array(boxes, float).reshape(-1, 4),
    )


def objects(*rows, difficult=()):
    """Objects from rows of class and box, all in image 0."""
    return TrueBoxes(
        images=np.zeros(len(rows), int),
        labels=np.array([label for label, _ in rows], int),
        boxes_xyxy=np.array([box for _, box in rows], float).reshape(-1, 4),
        difficult=np.isin(np.arange(len(rows)), difficult),
    )


def kinds(detections, truth):
    """Kinds of the detections of CAT; DOG is similar to it, CAR is not."""
    return [Kind(kind) for kind in find(detections, truth, label=CAT, similar=frozenset({DOG})).kinds]


def test_a_detection_on_its_object_is_correct_and_one_on_nothing_is_background():
    assert kinds(found(A_SHIFTED_BY_3, FAR), objects((CAT, A))) == [Kind.CORRECT, Kind.BACKGROUND]


def test_an_overlap_of_exactly_a_half_is_correct():
    # 10x10 in 10x20: 100 of 200 pixels
    assert kinds(found((1, 1, 10, 20)), objects((CAT, A))) == [Kind.CORRECT]


def test_an_overlap_of_a_tenth_to_a_half_is_a_localisation_error():
    # 10x10 in 10x100: 100 of 1000 pixels is exactly 0.1; in 10x101 it is less
    assert kinds(found(A_SHIFTED_BY_5), objects((CAT, A))) == [Kind.LOCALISATION]
    assert kinds(found((1, 1, 10, 100)), objects((CAT, A))) == [Kind.LOCALISATION]
    assert kinds(found((1, 1, 10, 101)), objects((CAT, A))) == [Kind.BACKGROUND]
    assert kinds(found(A_SHIFTED_BY_9), objects((CAT, A))) == [Kind.BACKGROUND]


def test_a_duplicate_is_a_localisation_error():
    result = find(found(A, A), objects((CAT, A)), label=CAT, similar=frozenset())
    assert result.kinds.tolist() == [Kind.CORRECT, Kind.LOCALISATION]
    assert result.strong.tolist() == [TRUE, FALSE]
    assert result.weak.tolist() == [TRUE, IGNORED]
    assert result.duplicates.tolist() == [False, True]


def test_a_detection_on_a_difficult_object_counts_as_correct_but_not_as_true():
    result = find(found(A), objects((CAT, A), difficult=(0,)), label=CAT, similar=frozenset())
    assert result.kinds.tolist() == [Kind.CORRECT]
    assert result.strong.tolist() == [IGNORED]
    assert result.objects == 0


def test_a_second_detection_takes_the_next_best_free_object_where_the_devkit_calls_it_a_duplicate():
    # Both overlap the first object most; the second of them takes the object that lies 3 pixels beside it
    result = find(found(A, A), objects((CAT, A), (CAT, A_SHIFTED_BY_3)), label=CAT, similar=frozenset())
    assert result.kinds.tolist() == [Kind.CORRECT, Kind.CORRECT]
    assert result.taken.tolist() == [0, 1]


@pytest.mark.parametrize(("label", "kind"), [(DOG, Kind.SIMILAR), (CAR, Kind.OTHER)])
def test_a_weak_overlap_with_another_class_is_a_confusion_of_its_kind(label, kind):
    assert kinds(found(A_SHIFTED_BY_5), objects((CAT, FAR), (label, A))) == [kind]


def test_localisation_takes_precedence_over_a_similar_class_and_that_over_any_other():
    assert kinds(found(A_SHIFTED_BY_5), objects((CAT, A), (DOG, A_SHIFTED_BY_5))) == [Kind.LOCALISATION]
    assert kinds(found(A), objects((CAR, A), (DOG, A_SHIFTED_BY_5))) == [Kind.SIMILAR]


def test_a_difficult_object_of_another_class_confuses_too():
    assert kinds(found(A), objects((CAR, A), difficult=(0,))) == [Kind.OTHER]


def test_only_objects_of_the_same_image_and_detections_of_the_same_class_matter():
    assert kinds(found(A, image=1), objects((CAT, A))) == [Kind.BACKGROUND]
    assert kinds(found(A, label=DOG), objects((CAT, A))) == []


def test_the_higher_score_takes_the_object_and_of_equal_scores_the_first():
    truth = objects((CAT, A))
    detections = ScoredBoxes(
        images=np.zeros(3, int),
        labels=np.full(3, CAT),
        scores=np.array([0.2, 0.9, 0.9]),
        boxes_xyxy=np.array([A, A_SHIFTED_BY_3, A], float),
    )
    result = find(detections, truth, label=CAT, similar=frozenset())
    assert result.strong.tolist() == [TRUE, FALSE, FALSE]
    assert result.taken.tolist() == [0, -1, -1]


def test_objects_are_numbered_among_those_of_the_class():
    result = find(found(B), objects((DOG, A), (CAT, A), (CAT, B)), label=CAT, similar=frozenset())
    assert result.taken.tolist() == [1]
    np.testing.assert_array_equal(result.objects_xyxy, [A, B])


def test_no_detections_and_no_objects_give_empty_findings():
    result = find(found(), objects(), label=CAT, similar=frozenset())
    assert (len(result.kinds), result.objects) == (0, 0)
