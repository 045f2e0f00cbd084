"""Normalised average precision and its bins, by hand."""

from __future__ import annotations

from math import isnan, sqrt

import numpy as np
import pytest

from ssd_core.metrics.analysis.findings import FALSE, IGNORED, TRUE, Findings
from ssd_core.metrics.analysis.sensitivity import bins_of, normalised_ap, sensitivity


def test_normalised_precision_counts_the_class_as_having_the_nominal_number_of_objects():
    # 2 objects count as 8: after the first, 4 / 4; after one false, 4 / 5; after the second, 8 / 9
    result = normalised_ap(np.array([TRUE, FALSE, TRUE]), objects=2, nominal=8.0)
    assert result.value == pytest.approx((1 + 8 / 9) / 2)
    # Standard deviation of two values, half their distance times the root of two; over the root of two objects
    assert result.error == pytest.approx((1 - 8 / 9) / sqrt(2) / sqrt(2))


def test_precision_is_the_best_at_its_rank_or_later():
    # 3 objects count as 3: 0 / 1, 1 / 2, 2 / 3: the first of the two found has 2 / 3 as well, the third object 0
    result = normalised_ap(np.array([FALSE, TRUE, TRUE]), objects=3, nominal=3.0)
    assert result.value == pytest.approx((2 / 3 + 2 / 3 + 0) / 3)
    assert result.error == pytest.approx(np.std([2 / 3, 2 / 3, 0], ddof=1) / sqrt(3))


def test_ignored_detections_change_nothing():
    plain = normalised_ap(np.array([TRUE, FALSE, TRUE]), objects=2, nominal=8.0)
    assert normalised_ap(np.array([IGNORED, TRUE, FALSE, IGNORED, TRUE]), objects=2, nominal=8.0) == plain


def test_nothing_detected_is_zero_and_no_object_is_nan():
    assert normalised_ap(np.array([FALSE]), objects=3, nominal=8.0).value == 0
    assert normalised_ap(np.array([], int), objects=3, nominal=8.0).value == 0
    assert isnan(normalised_ap(np.array([FALSE]), objects=0, nominal=8.0).value)
    assert normalised_ap(np.array([TRUE]), objects=1, nominal=8.0).error == 0


def test_ten_objects_fall_into_bins_of_1_2_4_2_and_1():
    values = np.array([10, 9, 8, 7, 6, 5, 4, 3, 2, 1], float)
    assert bins_of(values, np.ones(10, bool)).tolist() == [4, 3, 3, 2, 2, 2, 2, 1, 1, 0]


def test_equal_values_lie_in_one_bin_and_difficult_objects_set_no_threshold():
    assert bins_of(np.full(10, 7.0), np.ones(10, bool)).tolist() == [0] * 10
    # Of 1, 2 ... 10 the thresholds are 1, 3, 7 and 9; the difficult ones at 0 change none of them
    values = np.array([0.0] * 5 + list(range(1, 11)))
    assert bins_of(values, values > 0).tolist() == [0] * 5 + [0, 1, 1, 2, 2, 2, 2, 3, 3, 4]


def test_thresholds_of_few_objects_exist():
    # round(0.1 * 2) = 0 becomes the first; round(0.3 * 2) = 1, round(0.7 * 2) = 1, round(0.9 * 2) = 2
    assert bins_of(np.array([1.0, 2.0]), np.ones(2, bool)).tolist() == [0, 3]


def test_each_bin_keeps_all_false_positives_and_ignores_true_positives_of_other_bins():
    # Ten objects of widths 1 to 10, height 1; found are the widest (bin XL) and, after a false one, the narrowest (XS)
    boxes = np.array([[1, 1, width, 1] for width in range(1, 11)], float)
    result = sensitivity(
        Findings(
            kinds=np.zeros(3, int),
            strong=np.array([TRUE, FALSE, TRUE]),
            weak=np.zeros(3, int),
            duplicates=np.zeros(3, bool),
            taken=np.array([9, -1, 0]),
            objects_xyxy=boxes,
            difficult=np.zeros(10, bool),
        ),
        nominal=3.0,
    )
    assert [item.objects for item in result.area] == [1, 2, 4, 2, 1]
    # One object counts as 3: found first 3 / 3, found after a false one 3 / 4
    assert [item.value for item in result.area] == pytest.approx([0.75, 0, 0, 0, 1])
    assert [item.value for item in result.aspect] == pytest.approx([0.75, 0, 0, 0, 1])
    # Overall ten count as 3: 0.3 / 0.3 at first, then 0.6 / 1.6
    assert result.overall.value == pytest.approx((1 + 0.6 / 1.6) / 10)


@pytest.mark.parametrize(("pixel_extent", "found_bin"), [(0.0, 3), (1.0, 0)])
def test_shapes_are_those_of_the_frame_of_the_boxes(pixel_extent: float, found_bin: int):
    # 2 x 1 is found and 9 x 5 is not: 2 and 1.8 in continuous coordinates, 3/2 and 10/6 with inclusive corners
    result = sensitivity(
        Findings(
            kinds=np.zeros(1, int),
            strong=np.array([TRUE]),
            weak=np.zeros(1, int),
            duplicates=np.zeros(1, bool),
            taken=np.array([0]),
            objects_xyxy=np.array([[0, 0, 2, 1], [0, 0, 9, 5]], float),
            difficult=np.zeros(2, bool),
        ),
        nominal=2.0,
        pixel_extent=pixel_extent,
    )
    assert [number for number, part in enumerate(result.aspect) if part.value > 0] == [found_bin]
