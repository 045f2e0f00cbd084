"""Trends, by hand from given kinds."""

from __future__ import annotations

import numpy as np
import pytest

from ssd_core.metrics.analysis.findings import FALSE, IGNORED, TRUE, Findings, Kind
from ssd_core.metrics.analysis.trends import detection_trend, false_positive_trend, rounded

COR, LOC, SIM, OTH, BG = Kind


def findings(*kinds, objects, duplicates=(), weak=None):
    """Detections of these kinds by descending score, of a class with `objects` objects."""
    strong = np.array([TRUE if kind == COR else FALSE for kind in kinds], int)
    return Findings(
        kinds=np.array(kinds, int),
        strong=strong,
        weak=strong if weak is None else np.array(weak),
        duplicates=np.isin(np.arange(len(kinds)), duplicates),
        taken=np.full(len(kinds), -1),
        objects_xyxy=np.zeros((objects, 4)),
        difficult=np.zeros(objects, bool),
    )


def test_a_tick_reads_the_shares_of_as_many_detections_as_objects_times_the_tick():
    one = findings(COR, COR, LOC, SIM, OTH, COR, LOC, COR, objects=4)
    trend = detection_trend([one], ticks=(0.5, 1.0, 2.0))
    assert trend.objects == 4
    np.testing.assert_allclose(
        trend.shares, np.array([[1, 0, 0, 0, 0], [0.5, 0.25, 0.25, 0, 0], [0.5, 0.25, 0.125, 0.125, 0]])
    )


def test_counts_are_summed_over_the_classes_at_each_rank_and_ticks_count_in_mean_objects():
    # Ranks: 2 correct, 2 localisations, then one similar. (3 + 4) / 2 rounds up to 4 objects
    group = [findings(COR, LOC, SIM, objects=3), findings(COR, LOC, objects=4)]
    trend = detection_trend(group, ticks=(0.25, 1.0, 1.25))
    assert trend.objects == 4
    expected = np.array([[1, 0, 0, 0, 0], [0.5, 0.5, 0, 0, 0], [0.4, 0.4, 0.2, 0, 0]])
    np.testing.assert_allclose(trend.shares, expected)


def test_background_counts_twice_where_ticks_are_read_but_not_in_the_shares_unless_fixed():
    # Running totals: 1, 3, 4, 6 as in the tool; 1, 2, 3, 4 in truth. The fourth detection is reached at the third
    one = findings(COR, BG, LOC, BG, objects=4)
    np.testing.assert_allclose(detection_trend([one], ticks=(1.0,)).shares, [[1 / 3, 1 / 3, 0, 0, 1 / 3]])
    np.testing.assert_allclose(detection_trend([one], ticks=(1.0,), fixed=True).shares, [[0.25, 0.25, 0, 0, 0.5]])


def test_ticks_beyond_the_last_detection_have_no_shares_but_keep_the_last_recall():
    trend = detection_trend([findings(COR, COR, objects=4)], ticks=(0.5, 1.0))
    assert np.isnan(trend.shares[1]).all()
    np.testing.assert_allclose(trend.recall, [0.5, 0.5])


def test_recall_is_the_mean_over_classes_at_their_own_numbers_of_objects():
    # The first finds 1 of 2 within its two best, the second 0 of 4 within its four best
    group = [findings(COR, BG, COR, objects=2), findings(BG, BG, BG, BG, COR, objects=4)]
    np.testing.assert_allclose(detection_trend(group, ticks=(1.0,)).recall, [0.25])


def test_weak_recall_puts_duplicates_last():
    # By weak overlap the second is a duplicate, so that the two best are the first and the third
    one = findings(COR, LOC, LOC, objects=2, duplicates=(1,), weak=[TRUE, IGNORED, TRUE])
    trend = detection_trend([one], ticks=(1.0,))
    np.testing.assert_allclose(trend.recall, [0.5])
    np.testing.assert_allclose(trend.weak_recall, [1.0])


def test_classes_without_objects_do_not_count():
    group = [findings(COR, BG, objects=2), findings(BG, BG, objects=0)]
    assert detection_trend(group, ticks=(0.5,)).shares[0, COR] == 1
    with pytest.raises(ValueError, match="no class"):
        detection_trend(group[1:])


def test_false_positives_are_counted_without_correct_detections():
    one = findings(COR, LOC, COR, COR, SIM, OTH, LOC, objects=3)
    trend = false_positive_trend([one], ticks=(1, 2, 4, 5))
    expected = np.array([[1, 0, 0, 0], [0.5, 0.5, 0, 0], [0.5, 0.25, 0.25, 0]])
    np.testing.assert_allclose(trend.shares[:3], expected)
    assert np.isnan(trend.shares[3]).all()


def test_false_positives_count_background_twice_too_unless_fixed():
    one = findings(BG, LOC, BG, LOC, objects=3)
    np.testing.assert_allclose(false_positive_trend([one], ticks=(2,)).shares, [[0, 0, 0, 1]])
    np.testing.assert_allclose(false_positive_trend([one], ticks=(2,), fixed=True).shares, [[0.5, 0, 0, 0.5]])


def test_a_half_is_rounded_up():
    assert rounded(np.array([0.5, 1.5, 2.5, 2.49])).tolist() == [1, 2, 3, 2]
