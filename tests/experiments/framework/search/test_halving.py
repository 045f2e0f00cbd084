"""Successive halving over planted scores: who continues, and how the ranking compares."""

from __future__ import annotations

import pytest

from experiments.framework.search.evidence import Assumed, Scores
from experiments.framework.search.halving import continuing, ends_of_rungs, ranking
from ssd_core.metrics.estimate import Spread

ASSUMED = Assumed(seeds=Spread(value=0.02), images=0.0)


def scores(*values: float) -> Scores:
    return Scores(values=dict(enumerate(values)))


def test_each_rung_takes_as_long_as_all_before_it_together() -> None:
    assert ends_of_rungs(1600, 3) == (400, 800, 1600)
    assert ends_of_rungs(1600, 1) == (1600,)
    assert ends_of_rungs(2, 4) == (1, 2)


def test_the_better_half_by_mean_over_the_seeds_continues() -> None:
    means = {1: scores(0.1, 0.9), 2: scores(0.45, 0.45), 3: scores(0.8, 0.1), 4: scores(0.6, 0.2), 5: scores(0.0, 0.1)}
    assert continuing(means) == (1, 2, 3)
    assert continuing({7: scores(0.3), 4: scores(0.3)}) == (4,)


def test_trials_of_later_rungs_are_ranked_before_those_that_stopped_each_with_its_interval() -> None:
    first = {1: scores(0.30, 0.32), 2: scores(0.50, 0.52), 3: scores(0.40, 0.42), 4: scores(0.10, 0.12)}
    last = {2: scores(0.60, 0.64), 3: scores(0.61, 0.65)}
    ranked = ranking([first, last], ASSUMED)
    assert [(each.trial, each.rung) for each in ranked] == [(3, 1), (2, 1), (1, 0), (4, 0)]
    best, second, third, worst = ranked
    assert best.behind is None
    assert best.score.interval()[0] < 0.63 < best.score.interval()[1]
    assert second.behind is not None
    assert second.behind.value == pytest.approx(-0.01)
    assert not second.is_shown_worse
    assert third.is_shown_worse
    assert worst.behind is not None
    assert worst.behind.value == pytest.approx(-0.40)


def test_the_spread_between_seeds_is_estimated_from_all_trials_of_a_rung() -> None:
    two = {trial: scores(0.5, 0.52) for trial in range(2)}
    eight = {trial: scores(0.5, 0.52) for trial in range(8)}
    few, many = (ranking([each], ASSUMED)[0].score for each in (two, eight))
    assert (few.spread.freedom, many.spread.freedom) == (2, 8)
    assert many.interval()[0] > few.interval()[0]
    (alone,) = ranking([{1: scores(0.5)}], ASSUMED)
    assert alone.score.spread.value == pytest.approx(0.02)
