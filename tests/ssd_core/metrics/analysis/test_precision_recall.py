"""Curves of precision against recall, by hand and on random outcomes."""

from __future__ import annotations

import numpy as np
import pytest

from ssd_core.metrics.analysis.precision_recall import precision_recall
from ssd_core.metrics.voc_ap import Outcomes, class_result


def result(true: list[int], *, ignored: tuple[int, ...] = (), objects: int):
    """Result of detections by descending score: 1 is a true positive."""
    return class_result(
        Outcomes(
            images=np.zeros(len(true), int),
            true=np.array(true, bool) & ~np.isin(np.arange(len(true)), ignored),
            counted=~np.isin(np.arange(len(true)), ignored),
            object_images=np.zeros(objects, int),
        )
    )


def area(result) -> float:
    curve = precision_recall(result)
    return float((curve.precision * np.diff(curve.recall, prepend=0)).sum())


def test_a_curve_has_one_step_per_precision_and_ends_at_the_last_recall() -> None:
    curve = precision_recall(result([1, 1, 0, 1, 0, 0], objects=4))
    np.testing.assert_allclose(curve.recall, [0.5, 0.75])
    np.testing.assert_allclose(curve.precision, [1, 0.75])


@pytest.mark.parametrize("seed", range(5))
def test_the_area_of_a_curve_is_the_average_precision(seed: int) -> None:
    rng = np.random.default_rng(seed)
    one = result(rng.integers(0, 2, 200).tolist(), ignored=tuple(rng.integers(0, 200, 9)), objects=300)
    assert one.ap_area > 0.1
    assert area(one) == pytest.approx(one.ap_area, abs=1e-12)


def test_detections_on_difficult_objects_at_the_top_leave_no_gap() -> None:
    assert area(result([0, 1], ignored=(0,), objects=1)) == 1.0


def test_a_class_without_a_true_positive_or_without_objects_has_no_curve() -> None:
    assert len(precision_recall(result([0, 0], objects=3)).recall) == 0
    assert len(precision_recall(result([0], objects=0)).recall) == 0
