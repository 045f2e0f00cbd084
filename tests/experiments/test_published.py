"""The paper's transcribed numbers are consistent with each other."""

from __future__ import annotations

import itertools
from dataclasses import astuple

import pytest

from experiments.published import (
    ABSTRACT_SSD512,
    FIGURE_2,
    FIGURE_3_OBJECTS,
    FIGURE_4,
    TABLE_1,
    TABLE_2,
    TABLE_3,
    TABLE_3_BOXES,
    TABLE_4,
    TABLE_5,
    TABLE_6,
    TABLE_7,
)

HALF_A_DIGIT = 0.0005
ROWS = [*TABLE_1.items(), *TABLE_4.items()]


def test_tables_1_and_4_have_the_eleven_and_eight_rows_of_the_paper() -> None:
    ours = [("SSD300", data) for data in ("07", "07+12", "07+12+COCO")]
    assert list(TABLE_1)[5:8] == ours
    assert (len(TABLE_1), len(TABLE_4)) == (11, 8)


@pytest.mark.parametrize(("name", "row"), ROWS, ids=[f"{detector} {data}" for (detector, data), _ in ROWS])
def test_the_mean_of_the_classes_rounds_to_the_printed_mean(name, row) -> None:
    assert len(row.classes) == 20
    assert sum(row.classes) / 20 == pytest.approx(row.mean, abs=HALF_A_DIGIT + 1e-9)


def test_the_mean_of_ssd512_is_consistent_with_both_printed_values_in_table_and_abstract() -> None:
    # The mean of the rounded classes is 0.76845, accurate to 0.0005, so the true mean may round to 0.768 or 0.769
    row = TABLE_1["SSD512", "07+12"]
    mean = sum(row.classes) / 20
    assert mean == pytest.approx(0.76845)
    assert row.mean == 0.768
    assert mean < ABSTRACT_SSD512 - HALF_A_DIGIT < mean + HALF_A_DIGIT


def test_single_values_belong_to_their_class() -> None:
    # Read from the paper a second time: the weakest classes of SSD300 are bottle, then plant
    row = TABLE_1["SSD300", "07+12"].per_class()
    assert (row["bottle"], row["pottedplant"], row["cat"]) == (0.476, 0.486, 0.861)
    assert TABLE_4["YOLO", "07++12"].per_class()["tvmonitor"] == 0.508
    assert TABLE_4["SSD512", "07++12+COCO"].per_class()["aeroplane"] == 0.907


def test_table_2_removes_one_part_in_each_column_and_ends_with_ssd300() -> None:
    assert [column.mean for column in TABLE_2.values()] == [0.655, 0.716, 0.737, 0.742, 0.743]
    kept = [
        (column.more_augmentation, column.boxes_of_2, column.boxes_of_3, column.atrous) for column in TABLE_2.values()
    ]
    assert kept == [
        (False, True, True, True),
        (True, False, False, True),
        (True, True, False, True),
        (True, True, True, False),
        (True, True, True, True),
    ]


def test_table_3_has_six_rows_of_two_columns_as_printed() -> None:
    # Table 3 of the paper, mAP in percent with and without boundary boxes, and the number of boxes
    printed = [
        (74.3, 63.4, 8732),
        (74.6, 63.1, 8764),
        (73.8, 68.4, 8942),
        (70.7, 69.2, 9864),
        (64.2, 64.4, 9025),
        (62.4, 64.0, 8664),
    ]
    ours = [(*(round(100 * value, 1) for value in TABLE_3[name]), TABLE_3_BOXES[name]) for name in TABLE_3]
    assert ours == printed


def test_both_tables_name_the_same_rows_in_the_same_order() -> None:
    assert list(TABLE_3) == list(TABLE_3_BOXES)


def test_table_6_is_as_printed() -> None:
    # Table 6 of the paper in percent: VOC2007 and VOC2012 without and with COCO, COCO at 0.5:0.95, 0.5 and 0.75
    printed = {
        "SSD300": (74.3, 79.6, 72.4, 77.5, 23.2, 41.2, 23.4),
        "SSD512": (76.8, 81.6, 74.9, 80.0, 26.8, 46.5, 27.8),
        "SSD300*": (77.2, 81.2, 75.8, 79.3, 25.1, 43.1, 25.8),
        "SSD512*": (79.8, 83.2, 78.5, 82.2, 28.8, 48.5, 30.3),
    }
    assert {name: tuple(round(100 * value, 1) for value in astuple(row)) for name, row in TABLE_6.items()} == printed


def test_table_7_is_as_printed() -> None:
    # Table 7 of the paper: mAP in percent, images/s, boxes
    printed = {
        ("Faster R-CNN (VGG16)", 1): (73.2, 7, 6000),
        ("Fast YOLO", 1): (52.7, 155, 98),
        ("YOLO (VGG16)", 1): (66.4, 21, 98),
        ("SSD300", 1): (74.3, 46, 8732),
        ("SSD512", 1): (76.8, 19, 24564),
        ("SSD300", 8): (74.3, 59, 8732),
        ("SSD512", 8): (76.8, 22, 24564),
    }
    ours = {key: (round(100 * row.mean, 1), row.images_per_second, row.boxes) for key, row in TABLE_7.items()}
    assert ours == printed
    assert (FIGURE_2["SSD300"].mean, FIGURE_2["SSD300"].images_per_second) == (0.743, 59)


@pytest.mark.parametrize("row", TABLE_5.values())
def test_numbers_of_coco_are_ordered_as_their_definitions_require(row) -> None:
    assert row.ap < row.ap50
    assert row.ap75 is None or row.ap75 < row.ap50
    for rising in (row.ap_by_size, row.ar_by_number, row.ar_by_size):
        assert rising is None or list(rising) == sorted(rising)


def test_the_star_helps_everywhere() -> None:
    for name, column in itertools.product(("SSD300", "SSD512"), vars(TABLE_6["SSD300"])):
        assert getattr(TABLE_6[f"{name}*"], column) > getattr(TABLE_6[name], column)


def test_the_axes_of_figure_3_are_mean_object_counts_of_voc2007_test() -> None:
    # Non-difficult objects of VOC2007 test by class
    animals = (459, 358, 244, 489, 348, 242)
    vehicles = (285, 337, 263, 213, 1201, 325, 282)
    furniture = (756, 206, 239)
    means = [round(sum(counts) / len(counts)) for counts in (animals, vehicles, furniture)]
    assert means == list(FIGURE_3_OBJECTS.values())


def test_figure_4_has_five_values_for_seven_classes_of_two_detectors_lowest_for_the_smallest_objects() -> None:
    for classes in FIGURE_4.values():
        assert len(classes) == 7
        for values in classes.values():
            assert len(values.area) == len(values.aspect) == 5
            assert values.area[0] == min(values.area)
