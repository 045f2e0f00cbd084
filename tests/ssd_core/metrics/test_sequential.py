"""The stopping rule on simulated rows: false verdicts, and trainings saved against a fixed number of seeds."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
import pytest
from jaxtyping import Float
from numpy import ndarray
from scipy.special import ndtri, stdtr, stdtrit

from ssd_core.metrics.estimate import Spread
from ssd_core.metrics.power import detectable, seeds_needed
from ssd_core.metrics.sequential import FIRST_LOOK, Look, decided, design, moderated
from ssd_core.metrics.verdict import Evidence

STATED = 0.01
"""Stated standard deviation of a row between seeds."""

TRIALS = 20_000
NOISE = 3 * sqrt(0.05 * 0.95 / TRIALS)
"""Three standard errors of a rate of 5 %."""


@dataclass(frozen=True, kw_only=True)
class Simulated:
    """Rates and mean seeds over many courses of one claim on two rows."""

    supported: float
    contradicted: float
    seeds: float
    """Mean number of seeds of each of the two rows."""

    @property
    def verdicts(self) -> float:
        return self.supported + self.contradicted


def simulate(
    effect: float,
    *,
    target: float,
    most_seeds: int,
    spreads: tuple[float, float] = (STATED, STATED),
    image_error: float = 0.0,
    trials: int = TRIALS,
) -> Simulated:
    """Courses of "the first row is better than the second", by the rule for all trials at once."""
    rng = np.random.default_rng(0)
    rows = [spread * rng.standard_normal((trials, most_seeds)) for spread in spreads]
    images = image_error * rng.standard_normal(trials)
    planned = design(target, spread=STATED * sqrt(2), image_error=image_error, most_seeds=most_seeds)
    verdict, used, at = np.zeros(trials), np.full(trials, most_seeds), np.arange(trials)
    for seeds in range(FIRST_LOOK, most_seeds + 1):
        first, second = (row[at, :seeds] for row in rows)
        value = effect + images[at] + first.mean(1) - second.mean(1)
        variance, freedom, supported = moderated(
            first.var(1, ddof=1) + second.var(1, ddof=1), 2.0 * (seeds - 1), stated=2 * STATED**2
        )
        error = np.sqrt(variance / seeds)
        decides = _below(value, error, freedom, image_error, planned.bound(seeds, supported=supported))
        hopeless = ~_below(value, error, freedom, image_error, planned.hopeless(seeds))
        verdict[at[decides]] = np.sign(value)[decides]
        used[at[decides | hopeless]] = seeds
        at = at[~(decides | hopeless)]
    return Simulated(supported=(verdict > 0).mean(), contradicted=(verdict < 0).mean(), seeds=used.mean())


def _below(
    value: Float[ndarray, " T"], error: Float[ndarray, " T"], freedom: object, image_error: float, p_value: object
) -> Float[ndarray, " T"]:
    """Whether the two-sided P value of an effect is at most `p_value`, by the half width of its interval."""
    tail = np.minimum(np.asarray(p_value) / 2, 0.5)
    half = np.hypot(stdtrit(freedom, 1 - tail) * error, ndtri(1 - tail) * image_error)
    below: Float[ndarray, " T"] = (np.abs(value) >= half) | (tail == 0.5)
    return below


def fixed_design(seeds: int) -> float:
    """The effect for which a fixed design needs so many seeds in each arm."""
    effect = detectable(Spread(value=STATED * sqrt(2)), image_error=0.0, seeds=seeds)
    assert seeds_needed(effect * 1.0001, Spread(value=STATED * sqrt(2)), image_error=0.0) == seeds
    return effect


@pytest.mark.parametrize(("fixed", "most_seeds"), [(6, 8), (8, 13), (12, 22), (20, 60)])
def test_thirty_percent_fewer_trainings_than_a_fixed_design_of_the_same_power(fixed: int, most_seeds: int) -> None:
    effect = fixed_design(fixed)
    found = simulate(effect, target=effect, most_seeds=most_seeds)
    assert found.supported >= 0.8 - 3 * sqrt(0.8 * 0.2 / TRIALS)
    assert 2 * found.seeds <= 0.7 * 2 * fixed  # both arms
    assert found.contradicted < 0.001


@pytest.mark.parametrize(("fixed", "image_error"), [(6, 0.0), (20, 0.0), (6, 0.01)])
def test_without_an_effect_at_most_five_percent_of_all_courses_end_with_a_verdict(
    fixed: int, image_error: float
) -> None:
    found = simulate(0.0, target=fixed_design(fixed), most_seeds=2 * fixed, image_error=image_error)
    assert found.verdicts <= 0.05
    assert found.seeds < 0.75 * fixed  # given up


@pytest.mark.parametrize(("spread", "rate"), [(0.1, 0.01), (1.3, 0.055), (2.5, 0.07)])
def test_rows_that_vary_otherwise_than_stated_cost_few_false_verdicts(spread: float, rate: float) -> None:
    spreads = (spread * STATED, spread * STATED)
    assert simulate(0.0, target=fixed_design(6), most_seeds=12, spreads=spreads).verdicts <= rate


def test_an_effect_half_as_large_as_a_huge_target_is_found() -> None:
    assert simulate(5 * STATED, target=10 * STATED, most_seeds=12).supported > 0.99


def test_without_a_target_the_design_is_for_what_the_most_seeds_find() -> None:
    planned = design(None, spread=0.02, most_seeds=12)
    assert planned.drift(12) == pytest.approx(2.8)
    assert design(0.001, spread=0.02, most_seeds=12) == planned  # out of reach of twelve seeds


def test_the_stated_spread_counts_only_while_the_rows_vary_less() -> None:
    assert [float(each) for each in moderated(1.0, 2.0, stated=4.0)] == [2.5, 4.0, 1.0]  # (2 * 1 + 2 * 4) / 4
    assert [float(each) for each in moderated(9.0, 2.0, stated=4.0)] == [9.0, 2.0, 0.0]


def look(p_value: float, seeds: int = 4) -> Look:
    planned = design(0.02, spread=0.015, most_seeds=12)
    return Look(evidence=Evidence(opposite=p_value, claim=1.0), seeds=seeds, design=planned)


def test_holms_correction_shares_the_level_among_the_claims_not_decided_before() -> None:
    planned = look(1.0).design
    assert planned
    alone, shared = planned.bound(4, 0.05), planned.bound(4, 0.025)
    assert shared < alone
    between = (alone + shared) / 2
    assert decided([look(between), look(1.0)], undecided=2) == set()
    assert decided([look(between), look(0.0)], undecided=2) == {0, 1}  # the second leaves the whole level to the first
    assert decided([look(between)], undecided=1) == {0}


def test_among_claims_without_effect_any_false_verdict_is_rare() -> None:
    rng = np.random.default_rng(0)
    planned, pages, claims = design(0.02, spread=STATED * sqrt(2), most_seeds=12), 4000, 5
    rows = STATED * rng.standard_normal((2, pages * claims, 12))
    false = np.zeros(pages * claims, bool)
    for seeds in range(FIRST_LOOK, 13):
        first, second = rows[:, :, :seeds]
        variance, freedom, supported = moderated(
            first.var(1, ddof=1) + second.var(1, ddof=1), 2.0 * (seeds - 1), stated=2 * STATED**2
        )
        p_values = 2 * stdtr(freedom, -np.abs(first.mean(1) - second.mean(1)) / np.sqrt(variance / seeds))
        false |= p_values <= planned.bound(seeds, 0.05 / claims, supported=supported)
    assert false.reshape(pages, claims).any(1).mean() <= 0.05  # Holm's first step; none is given up
