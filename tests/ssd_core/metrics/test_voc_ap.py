"""VOC average precision against a real detector's known numbers, another tool's toy example, and cases by hand.

Origin of the numbers: the folders `voc2007_eval` and `toy_metrics` of the real data, whose SOURCE.txt states who
computed them; all others are worked out by hand in the test.
"""

from __future__ import annotations

import json
import tarfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from xml.etree import ElementTree

import numpy as np
import pytest

from ssd_core.metrics.voc_ap import ILSVRC_TOLERANCE, ClassResult, ScoredBoxes, TrueBoxes, evaluate, mean_result
from ssd_core.spec.vocabularies import VOC_CLASSES

if TYPE_CHECKING:
    from collections.abc import Callable

CORNERS = ("xmin", "ymin", "xmax", "ymax")


def scored(*rows: tuple[int, float, tuple[float, float, float, float]], label: int = 0) -> ScoredBoxes:
    images, scores, boxes = zip(*rows, strict=True) if rows else ((), (), ())
    return ScoredBoxes(
        images=np.array(images, np.int64),
        labels=np.full(len(rows), label),
        scores=np.array(scores, np.float64),
        boxes_xyxy=np.array(boxes, np.float64).reshape(-1, 4),
    )


def true(
    *rows: tuple[int, tuple[float, float, float, float]], difficult: tuple[int, ...] = (), label: int = 0
) -> TrueBoxes:
    images, boxes = zip(*rows, strict=True) if rows else ((), ())
    return TrueBoxes(
        images=np.array(images, np.int64),
        labels=np.full(len(rows), label),
        boxes_xyxy=np.array(boxes, np.float64).reshape(-1, 4),
        difficult=np.isin(np.arange(len(rows)), difficult),
    )


def only(detections: ScoredBoxes, truth: TrueBoxes, **options: float) -> ClassResult:
    (result,) = evaluate(detections, truth, class_count=1, **options)
    return result


A, B, FAR = (11, 11, 20, 20), (41, 41, 60, 60), (200, 200, 220, 220)


def test_one_object_detected_at_rank_one_has_ap_one():
    result = only(scored((0, 0.9, A)), true((0, A)))
    assert (result.ap_11point, result.ap_area, result.objects, result.detections) == (1, 1, 1, 1)


def test_a_false_detection_above_the_only_true_one_halves_ap():
    result = only(scored((0, 0.9, FAR), (0, 0.8, A)), true((0, A)))
    assert (result.ap_11point, result.ap_area) == (0.5, 0.5)
    assert result.precision.tolist() == [0, 0.5]
    assert result.recall.tolist() == [0, 1]


def test_two_of_three_objects_detected_give_7_of_11_points_and_two_thirds_of_the_area():
    result = only(scored((0, 0.9, A), (0, 0.8, B)), true((0, A), (0, B), (1, A)))
    assert result.ap_11point == pytest.approx(7 / 11)  # recalls 0 ... 0.6 are reached with precision 1
    assert result.ap_area == pytest.approx(2 / 3)


def test_recall_of_exactly_three_tenths_misses_that_level_by_a_rounding_as_in_the_published_tools():
    truth = true(*((image, A) for image in range(10)))
    result = only(scored(*((image, 0.9, A) for image in range(3))), truth)
    assert result.ap_11point == pytest.approx(3 / 11)  # 0, 0.1, 0.2; 0.1 * 3 > 3 / 10


def test_the_second_detection_of_an_object_is_false():
    result = only(scored((0, 0.9, A), (0, 0.8, A), (0, 0.7, B)), true((0, A), (0, B)))
    assert result.precision.tolist() == [1, 0.5, pytest.approx(2 / 3)]
    assert result.ap_area == pytest.approx(0.5 + 0.5 * 2 / 3)


def test_a_detection_goes_to_the_object_it_overlaps_most_even_when_that_one_is_taken():
    near = (11, 11, 20, 19)  # overlaps A by 0.9, and the lower neighbour by 80 / 110
    result = only(scored((0, 0.9, A), (0, 0.8, near)), true((0, A), (0, (11, 10, 20, 17))))
    assert result.recall.tolist() == [0.5, 0.5]


def test_difficult_objects_are_neither_required_nor_false_however_often_they_are_detected():
    result = only(scored((0, 0.9, B), (0, 0.8, B), (0, 0.7, A)), true((0, A), (0, B), difficult=(1,)))
    assert (result.ap_11point, result.objects, result.detections) == (1, 1, 3)


def test_a_class_with_only_difficult_objects_has_no_ap_and_is_excluded_from_the_mean():
    truth = TrueBoxes(
        images=np.array([0, 0]),
        labels=np.array([0, 1]),
        boxes_xyxy=np.array([A, B], float),
        difficult=np.array([False, True]),
    )
    results = evaluate(scored((0, 0.9, A)), truth, class_count=3)
    assert [np.isnan(result.ap_area) for result in results] == [False, True, True]
    mean = mean_result(results)
    assert (mean.ap_11point, mean.ap_area, mean.classes) == (1, 1, 1)


def test_an_image_without_detections_still_counts_its_objects():
    assert only(scored(), true((0, A), (1, A))).ap_area == 0
    assert only(scored((0, 0.9, A)), true((0, A), (1, A))).recall.tolist() == [0.5]


def test_a_detection_in_an_image_without_objects_is_false():
    assert only(scored((7, 0.9, A), (0, 0.8, A)), true((0, A))).ap_area == 0.5


def test_without_any_object_the_mean_is_not_a_number():
    mean = mean_result(evaluate(scored((0, 0.9, A)), true(), class_count=1))
    assert np.isnan(mean.ap_area)
    assert mean.classes == 0


def test_an_overlap_of_exactly_the_threshold_is_a_match():
    half = (11, 11, 20, 15)  # 10 x 5 of the 10 x 10 pixels of A
    assert only(scored((0, 0.9, half)), true((0, A))).ap_area == 1
    assert only(scored((0, 0.9, half)), true((0, A)), iou_threshold=0.5001).ap_area == 0


def test_widths_include_both_corner_pixels_by_default():
    part = (11, 11, 20, 13)  # 3 of 10 rows; without the last pixel 2 of 9
    assert only(scored((0, 0.9, part)), true((0, A)), iou_threshold=0.3).ap_area == 1
    assert only(scored((0, 0.9, part)), true((0, A)), iou_threshold=0.3, pixel_extent=0.0).ap_area == 0


def test_a_small_object_of_ilsvrc_is_matched_at_a_smaller_overlap():
    """A is 10x10 pixels: its threshold is 100 / (20 * 20) = 1/4; the detections lie inside."""
    quarter, less = (11, 11, 15, 15), (11, 11, 15, 14)  # overlaps 25/100 and 20/100
    found = {
        box: only(scored((0, 0.9, box)), true((0, A)), pixel_tolerance=ILSVRC_TOLERANCE) for box in (quarter, less)
    }
    assert found[quarter].ap_area == 1
    assert found[less].ap_area == 0
    assert only(scored((0, 0.9, quarter)), true((0, A))).ap_area == 0


def test_a_large_object_of_ilsvrc_keeps_the_threshold():
    """60x60 pixels: 3600 / 4900 is above the threshold of a half, which stays; the detection overlaps 29 of 60 rows."""
    large, part = (1, 1, 60, 60), (1, 1, 60, 29)
    assert only(scored((0, 0.9, part)), true((0, large)), pixel_tolerance=ILSVRC_TOLERANCE).ap_area == 0


def test_a_small_object_that_is_reached_counts_beside_a_large_one_that_is_overlapped_more_but_not_enough():
    """Overlaps of the 30x14 detection: 420/900 with the 30x30 object (threshold 1/2), 180/420 with the 30x6 one
    (threshold 180 / (40 * 16) = 0.28)."""
    large, small, box = (1, 1, 30, 30), (1, 1, 30, 6), (1, 1, 30, 14)
    truth = true((0, large), (0, small))
    assert only(scored((0, 0.9, box)), truth, pixel_tolerance=ILSVRC_TOLERANCE).ap_area == 0.5
    assert only(scored((0, 0.9, box)), truth).ap_area == 0


def test_equal_scores_keep_their_order():
    first, second = (0, 0.5, FAR), (0, 0.5, A)
    assert only(scored(first, second), true((0, A))).ap_area == 0.5
    assert only(scored(second, first), true((0, A))).ap_area == 1


def test_random_detections_score_as_in_a_plain_loop():
    rng = np.random.default_rng(0)
    for _ in range(20):
        some, more = random_boxes(rng, 60), random_boxes(rng, 300)
        truth = TrueBoxes(**some, difficult=rng.random(60) < 0.2)
        found = ScoredBoxes(**more, scores=rng.integers(0, 20, 300) / 20)
        for label, result in enumerate(evaluate(found, truth, class_count=2, iou_threshold=0.3)):
            assert result.ap_area == pytest.approx(looped_ap_area(found, truth, label, 0.3))


def random_boxes(rng: np.random.Generator, count: int) -> dict[str, np.ndarray]:
    corner = rng.integers(1, 20, (count, 2))
    boxes = np.concatenate([corner, corner + rng.integers(3, 15, (count, 2))], axis=1).astype(float)
    return {"images": rng.integers(0, 8, count), "labels": rng.integers(0, 2, count), "boxes_xyxy": boxes}


def looped_ap_area(found: ScoredBoxes, truth: TrueBoxes, label: int, threshold: float) -> float:
    """The rules of the module's docstring, one detection at a time."""
    objects = [at for at in range(len(truth.labels)) if truth.labels[at] == label]
    order = sorted(
        (at for at in range(len(found.labels)) if found.labels[at] == label), key=lambda at: -found.scores[at]
    )
    taken, marks = set(), []
    for at in order:
        best, nearest = 0.0, None
        for other in (other for other in objects if truth.images[other] == found.images[at]):
            overlap = pixel_iou(found.boxes_xyxy[at], truth.boxes_xyxy[other])
            if overlap > best:
                best, nearest = overlap, other
        if nearest is None or best < threshold:
            marks.append(0)
        elif not truth.difficult[nearest]:
            marks.append(0 if nearest in taken else 1)
            taken.add(nearest)
    wanted = sum(not truth.difficult[at] for at in objects)
    precision = [sum(marks[: end + 1]) / (end + 1) for end in range(len(marks))]
    return sum(max(precision[at:]) for at, mark in enumerate(marks) if mark) / wanted


def pixel_iou(box: np.ndarray, other: np.ndarray) -> float:
    columns = max(0, min(box[2], other[2]) - max(box[0], other[0]) + 1)
    rows = max(0, min(box[3], other[3]) - max(box[1], other[1]) + 1)
    areas = [(corners[2] - corners[0] + 1) * (corners[3] - corners[1] + 1) for corners in (box, other)]
    return columns * rows / (sum(areas) - columns * rows)


# --- a real detector on the whole VOC2007 test set


@cache
def voc2007(folder: Path) -> tuple[ScoredBoxes, TrueBoxes]:
    images, labels, boxes, difficult = [], [], [], []
    with tarfile.open(folder / "VOC2007_annotations_all9963.tar.xz") as archive:
        files = {member.name: archive.extractfile(member) for member in archive if member.isfile()}
        contents = {name: file.read() for name, file in files.items() if name.endswith(("/test.txt", ".xml"))}
    for image_id in contents["VOC2007/ImageSets/Main/test.txt"].decode().split():
        for thing in ElementTree.fromstring(contents[f"VOC2007/Annotations/{image_id}.xml"]).iter("object"):
            images.append(int(image_id))
            labels.append(VOC_CLASSES.index(thing.findtext("name")))
            boxes.append([float(thing.findtext(f"bndbox/{corner}")) for corner in CORNERS])
            difficult.append(thing.findtext("difficult") == "1")
    truth = TrueBoxes(
        images=np.array(images), labels=np.array(labels), boxes_xyxy=np.array(boxes), difficult=np.array(difficult)
    )
    return detections_of(folder / "dets_tinyyolov2_qfdong.tar.xz"), truth


def detections_of(path: Path) -> ScoredBoxes:
    tables, labels = [], []
    with tarfile.open(path) as archive:
        for member in archive:
            if member.name.endswith(".txt"):
                label = VOC_CLASSES.index(Path(member.name).stem.rpartition("_")[2])
                tables.append(np.array(archive.extractfile(member).read().split(), np.float64).reshape(-1, 6))
                labels.append(np.full(len(tables[-1]), label))
    table = np.concatenate(tables)
    return ScoredBoxes(
        images=table[:, 0].astype(int), labels=np.concatenate(labels), scores=table[:, 1], boxes_xyxy=table[:, 2:]
    )


def test_a_real_detector_on_voc2007_scores_what_the_devkit_reports(real_data: Callable[[str], Path]):
    folder = real_data("voc2007_eval")
    expected = json.loads((folder / "expected.json").read_text())["sets"]["dets_tinyyolov2_qfdong"]
    detections, truth = voc2007(folder)
    results = evaluate(detections, truth, class_count=20)
    for name, result in zip(VOC_CLASSES, results, strict=True):
        wanted = expected["classes"][name]
        assert result.ap_11point == pytest.approx(wanted["stored_ap07"], abs=1e-4), name
        assert result.ap_area == pytest.approx(wanted["ap_area"], abs=1e-4), name
        assert (result.objects, result.detections) == (wanted["n_gt"], wanted["n_dets"]), name
        assert result.recall[-1] == pytest.approx(wanted["max_recall"], abs=1e-4), name
    mean = mean_result(results)
    assert (mean.ap_11point, mean.ap_area) == (pytest.approx(0.5397, abs=5e-5), pytest.approx(0.5441, abs=5e-5))


def test_a_subset_of_the_images_scores_as_expected(real_data: Callable[[str], Path]):
    folder = real_data("voc2007_eval")
    expected = json.loads((folder / "expected.json").read_text())["sets"]["dets_tinyyolov2_qfdong"]
    detections, truth = voc2007(folder)
    chosen = [int(image_id) for image_id in (folder / "test_subset400.txt").read_text().split()]
    results = evaluate(subset(detections, chosen), subset(truth, chosen), class_count=20)
    for name, result in zip(VOC_CLASSES, results, strict=True):
        wanted = expected["classes"][name]["subset400"]
        assert result.ap_11point == pytest.approx(wanted["ap07"], abs=1e-4), name
        assert result.ap_area == pytest.approx(wanted["ap_area"], abs=1e-4), name
        assert result.objects == wanted["n_gt"], name
    assert mean_result(results).ap_11point == pytest.approx(expected["subset400_map07"], abs=1e-4)


Boxes = TypeVar("Boxes", ScoredBoxes, TrueBoxes)


def subset(boxes: Boxes, images: list[int]) -> Boxes:
    chosen = np.isin(boxes.images, images)
    return type(boxes)(**{name: values[chosen] for name, values in vars(boxes).items()})


@pytest.mark.parametrize("threshold", ["0.1", "0.3", "0.5", "0.75"])
def test_a_toy_example_scores_what_the_test_of_another_tool_asserts(threshold: str, real_data: Callable[[str], Path]):
    folder = real_data("toy_metrics")
    expected = json.loads((folder / "expected.json").read_text())
    result = only(
        scored(*((image, row[0], corners(row[1:])) for image, row in toy_rows(folder / "dets"))),
        true(*((image, corners(row)) for image, row in toy_rows(folder / "gts"))),
        iou_threshold=float(threshold),
    )
    assert result.ap_11point == pytest.approx(expected["eleven_point"][threshold], abs=1e-4)
    assert result.ap_area == pytest.approx(expected["every_point"][threshold], abs=1e-4)


def toy_rows(folder: Path) -> list[tuple[int, list[float]]]:
    files = sorted(folder.glob("*.txt"))
    return [(int(f.stem), [float(v) for v in line.split()[1:]]) for f in files for line in f.read_text().splitlines()]


def corners(box: list[float]) -> tuple[float, float, float, float]:
    left, top, width, height = box
    return left, top, left + width, top + height
