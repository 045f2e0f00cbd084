"""TIDE's errors: by hand, and equal to tidecv 1.0.1, whose numbers are in tests/golden/tide.json.

These were computed by `TIDE(pos_threshold=IOU).evaluate(truth, detections)` of the package tidecv 1.0.1 and its
`fix_main_errors` and `fix_special_errors`, from the boxes as (xmin, ymin, xmax - xmin + extent, ymax - ymin + extent),
difficult objects and crowds as its ignore regions. It cannot be a dependency of the tests, since it brings another
OpenCV along.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ssd_core.metrics.analysis.tide import Tide, TideError, tide
from ssd_core.metrics.voc_ap import ScoredBoxes, TrueBoxes
from stages.evaluation.files.coco_files import read_coco

GOLDEN = json.loads((Path(__file__).parents[3] / "golden/tide.json").read_text())
NAMES = ("Cls", "Loc", "Both", "Dupe", "Bkg", "Miss")


def random_scene() -> tuple[ScoredBoxes, TrueBoxes]:
    """200 images of 4 classes: detections are objects moved, relabelled or repeated, and boxes elsewhere."""
    rng = np.random.default_rng(7)
    objects = 800
    corners = rng.integers(0, 200, (objects, 2))
    boxes = np.concatenate([corners, corners + rng.integers(20, 90, (objects, 2))], axis=1).astype(float)
    truth = TrueBoxes(
        images=np.sort(rng.integers(0, 200, objects)),
        labels=rng.integers(0, 4, objects),
        boxes_xyxy=boxes,
        difficult=rng.random(objects) < 0.08,
    )
    copied = rng.integers(0, objects, 1500)
    moved = boxes[copied] + rng.integers(-14, 15, (1500, 4))
    moved[:, 2:] = np.maximum(moved[:, 2:], moved[:, :2] + 1)
    labels = np.where(rng.random(1500) < 0.75, truth.labels[copied], rng.integers(0, 4, 1500))
    images = np.where(rng.random(1500) < 0.85, truth.images[copied], rng.integers(0, 200, 1500))
    return ScoredBoxes(images=images, labels=labels, scores=rng.integers(1, 1000, 1500) / 1000, boxes_xyxy=moved), truth


def assert_equals_tidecv(found: Tide, expected: dict[str, Any]) -> None:
    assert 100 * found.ap == pytest.approx(expected["AP"], abs=1e-3)
    assert {str(kind): 100 * loss for kind, loss in found.losses.items()} == pytest.approx(expected["dAP"], abs=1e-3)
    assert {str(kind): count for kind, count in found.counts.items()} == expected["counts"]
    assert 100 * found.false_positives == pytest.approx(expected["special"]["FalsePos"], abs=1e-3)
    assert 100 * found.false_negatives == pytest.approx(expected["special"]["FalseNeg"], abs=1e-3)


@pytest.mark.parametrize("iou", [0.5, 0.75])
def test_on_a_random_scene_with_all_kinds_of_errors_every_number_is_tidecv_s(iou: float) -> None:
    expected = GOLDEN["random"][str(iou)]
    assert min(expected["counts"].values()) > 5
    assert_equals_tidecv(tide(*random_scene(), class_count=4, iou_threshold=iou), expected)


@pytest.mark.parametrize("iou", [0.5, 0.75])
def test_on_the_demonstration_of_coco_every_number_is_tidecv_s(iou: float, real_data: Callable[[str], Path]) -> None:
    folder = real_data("coco_eval")
    files = read_coco(folder / "instances_val2014_fakebbox100_results.json", folder / "instances_val2014_100.json")
    found = tide(files.detections, files.truth, class_count=len(files.classes), iou_threshold=iou, pixel_extent=0.0)
    assert_equals_tidecv(found, GOLDEN["coco"][str(iou)])


A, NEAR_A, AWAY = (1, 1, 10, 10), (6, 1, 15, 10), (200, 200, 220, 220)  # IoU of A and NEAR_A: 0.33
CAT, DOG = 0, 1


def errors(*detections: tuple[int, tuple[int, ...]], objects: tuple[tuple[int, tuple[int, ...]], ...]) -> Tide:
    """Errors of detections by descending score in one image; all rows are class and box."""
    found = ScoredBoxes(
        images=np.zeros(len(detections), int),
        labels=np.array([label for label, _ in detections], int),
        scores=np.linspace(1, 0.5, len(detections)),
        boxes_xyxy=np.array([box for _, box in detections], float).reshape(-1, 4),
    )
    truth = TrueBoxes(
        images=np.zeros(len(objects), int),
        labels=np.array([label for label, _ in objects], int),
        boxes_xyxy=np.array([box for _, box in objects], float),
        difficult=np.zeros(len(objects), bool),
    )
    return tide(found, truth, class_count=2)


@pytest.mark.parametrize(
    ("detections", "kind"),
    [
        (((DOG, A),), TideError.CLASS),
        (((CAT, NEAR_A),), TideError.LOCATION),
        (((DOG, NEAR_A),), TideError.BOTH),
        (((CAT, A), (CAT, A)), TideError.DUPLICATE),
        (((CAT, AWAY),), TideError.BACKGROUND),
        ((), TideError.MISSED),
    ],
)
def test_each_kind_by_one_detection_of_a_cat(detections: tuple[Any, ...], kind: TideError) -> None:
    counts = errors(*detections, objects=((CAT, A),)).counts
    assert counts[kind] == 1
    assert {other for other, count in counts.items() if count} <= {kind, TideError.MISSED}


def test_repairing_the_place_of_the_only_detection_makes_all_of_the_precision() -> None:
    found = errors((CAT, NEAR_A), objects=((CAT, A),))
    assert (found.ap, found.losses[TideError.LOCATION], found.false_negatives) == (0.0, 1.0, 0.0)


def test_without_a_detection_or_an_object_nothing_is_lost() -> None:
    empty = np.empty(0)
    detections = ScoredBoxes(
        images=empty.astype(int), labels=empty.astype(int), scores=empty, boxes_xyxy=np.empty((0, 4))
    )
    truth = TrueBoxes(
        images=empty.astype(int), labels=empty.astype(int), boxes_xyxy=np.empty((0, 4)), difficult=empty.astype(bool)
    )
    assert set(tide(detections, truth, class_count=3).losses.values()) == {0.0}
