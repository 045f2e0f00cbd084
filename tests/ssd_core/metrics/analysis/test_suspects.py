"""Annotations that are probably wrong: by hand, and planted among the annotations of a simulated detector."""

from __future__ import annotations

import numpy as np
import pytest

from ssd_core.metrics.analysis.suspects import Fault, Suspect, suspects
from ssd_core.metrics.voc_ap import ScoredBoxes, TrueBoxes

CAT, DOG = 0, 1
A, B = (1, 1, 40, 40), (101, 101, 140, 140)


def boxes(*rows):
    """Class, box and score of each detection."""
    return ScoredBoxes(
        images=np.zeros(len(rows), int),
        labels=np.array([label for label, _, _ in rows], int),
        scores=np.array([score for _, _, score in rows], float),
        boxes_xyxy=np.array([box for _, box, _ in rows], float).reshape(-1, 4),
    )


def objects(*rows, difficult=False):
    return TrueBoxes(
        images=np.zeros(len(rows), int),
        labels=np.array([label for label, _ in rows], int),
        boxes_xyxy=np.array([box for _, box in rows], float).reshape(-1, 4),
        difficult=np.full(len(rows), difficult),
    )


def test_a_detection_away_from_all_objects_suspects_a_missing_one_once_for_all_detections_there() -> None:
    found = suspects(boxes((CAT, A, 0.9), (CAT, B, 0.8), (DOG, B, 0.7)), objects((CAT, A)), most=9)
    assert found == [Suspect(fault=Fault.MISSING, suspicion=0.8, detection=1, object=None)]


def test_an_object_on_which_another_class_scores_higher_is_suspected_by_the_difference() -> None:
    (found,) = suspects(boxes((CAT, A, 0.2), (DOG, A, 0.9)), objects((CAT, A)), most=9)
    assert (found.fault, found.object, found.detection) == (Fault.CLASS, 0, 1)
    assert found.suspicion == pytest.approx(0.7)
    assert suspects(boxes((CAT, A, 0.9), (DOG, A, 0.8)), objects((CAT, A)), most=9) == []


def test_difficult_objects_are_not_suspected() -> None:
    assert suspects(boxes((DOG, A, 0.9)), objects((CAT, A), difficult=True), most=9) == []


def test_the_list_is_ordered_and_limited_and_omits_small_suspicions() -> None:
    detections = boxes((CAT, A, 0.3), (DOG, B, 0.9), (CAT, (300, 300, 340, 340), 0.04))
    listed = suspects(detections, objects(), most=9, least=0.05)
    assert [item.detection for item in listed] == [1, 0]
    assert suspects(detections, objects(), most=1)[0].detection == 1


def simulated(rng: np.random.Generator) -> tuple[ScoredBoxes, TrueBoxes]:
    """300 images with 900 objects of 6 classes, and a detector that finds 9 of 10, of which it confuses 1 in 25.

    Boxes are a few pixels off; each image has two false alarms, with low scores.
    """
    images = np.repeat(np.arange(300), 3)
    corners = np.tile([[10, 10], [150, 20], [60, 200]], (300, 1)) + rng.integers(0, 30, (900, 2))
    placed = np.concatenate([corners, corners + rng.integers(40, 90, (900, 2))], axis=1).astype(float)
    truth = TrueBoxes(images=images, labels=rng.integers(0, 6, 900), boxes_xyxy=placed, difficult=np.zeros(900, bool))
    seen = np.flatnonzero(rng.random(900) < 0.9)
    confused = rng.random(len(seen)) < 0.04
    alarms = rng.integers(0, 260, (600, 2))
    return ScoredBoxes(
        images=np.concatenate([images[seen], np.repeat(np.arange(300), 2)]),
        labels=np.concatenate(
            [np.where(confused, rng.integers(0, 6, len(seen)), truth.labels[seen]), rng.integers(0, 6, 600)]
        ),
        scores=np.concatenate([rng.beta(6, 2, len(seen)), rng.beta(1.5, 8, 600)]),
        boxes_xyxy=np.concatenate(
            [placed[seen] + rng.integers(-5, 6, (len(seen), 4)), np.concatenate([alarms, alarms + 50], axis=1)]
        ),
    ), truth


@pytest.mark.parametrize("seed", range(3))
def test_of_20_deleted_and_20_relabelled_objects_30_are_among_the_first_60(seed: int) -> None:
    rng = np.random.default_rng(seed)
    detections, truth = simulated(rng)
    deleted, relabelled = rng.permutation(len(truth.labels))[:40].reshape(2, 20)
    labels = truth.labels.copy()
    labels[relabelled] = (labels[relabelled] + rng.integers(1, 6, 20)) % 6
    kept = np.setdiff1d(np.arange(len(labels)), deleted)
    wrong = TrueBoxes(
        images=truth.images[kept],
        labels=labels[kept],
        boxes_xyxy=truth.boxes_xyxy[kept],
        difficult=truth.difficult[kept],
    )
    listed = suspects(detections, wrong, most=60)
    hit = {kept[item.object] for item in listed if item.object is not None} & {*relabelled}
    places = [(detections.images[item.detection], detections.boxes_xyxy[item.detection]) for item in listed]
    hit |= {
        number
        for number in deleted
        for image, box in places
        if image == truth.images[number] and np.abs(box - truth.boxes_xyxy[number]).max() <= 5
    }
    assert len(hit) >= 30
