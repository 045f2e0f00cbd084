"""The expected calibration error, by hand and on scores that are probabilities by construction."""

from __future__ import annotations

import numpy as np
import pytest

from ssd_core.metrics.analysis.calibration import calibration


def test_the_error_is_the_mean_distance_of_score_and_precision_by_bin() -> None:
    found = calibration(np.array([0.95, 0.95, 0.15, 0.15]), np.array([True, True, True, False]))
    assert found.counts.tolist() == [0, 2, 0, 0, 0, 0, 0, 0, 0, 2]
    assert found.precision[[1, 9]].tolist() == [0.5, 1.0]
    assert found.error == pytest.approx((2 * 0.35 + 2 * 0.05) / 4)


def test_a_bin_contains_its_upper_end_and_the_first_also_zero() -> None:
    counts = calibration(np.array([0.0, 0.1, 0.2, 1.0]), np.zeros(4, bool)).counts
    assert counts.tolist() == [2, 1, 0, 0, 0, 0, 0, 0, 0, 1]


def test_scores_that_are_probabilities_have_almost_no_error_and_overconfident_ones_have_their_excess() -> None:
    rng = np.random.default_rng(0)
    scores = rng.uniform(0, 0.8, 100_000)
    assert calibration(scores, rng.random(len(scores)) < scores).error < 0.01
    assert calibration(scores + 0.2, rng.random(len(scores)) < scores).error == pytest.approx(0.2, abs=0.01)


def test_scores_outside_0_to_1_are_no_probabilities_and_no_detections_have_no_error() -> None:
    assert calibration(np.array([3.0, -1.0]), np.array([True, False])) is None
    assert np.isnan(calibration(np.empty(0), np.empty(0, bool)).error)
