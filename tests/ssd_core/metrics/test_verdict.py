"""Verdicts on planted effects: their rates over simulated sets of seeds and test images."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from ssd_core.metrics.estimate import Estimate, Spread, estimate
from ssd_core.metrics.verdict import Evidence, Verdict, above, all_above, verdicts, within

SPREAD, IMAGE_ERROR = 0.004, 0.003
"""Of a difference in accuracy, between seeds and over the test images of a benchmark."""

TRIALS = 2000
NOISE = 3 * (0.05 * 0.95 / TRIALS) ** 0.5
"""Three standard errors of a rate of 5 %."""


def planted(effect: float, rng: np.random.Generator, *, seeds: int = 3) -> Estimate:
    """An effect measured by seeds that differ, on images that shift all of them."""
    by_seed = effect + IMAGE_ERROR * rng.standard_normal() + SPREAD * rng.standard_normal(seeds)
    return estimate(by_seed.tolist(), image_error=IMAGE_ERROR, assumed=Spread(value=SPREAD))


def _sure(effect: float) -> Estimate:
    """An effect with an error of 1 that is known."""
    return Estimate(value=effect, spread=Spread(value=0.0), image_error=1.0, seeds=3)


def rates(effect: float, *, seeds: int = 3) -> Counter[Verdict]:
    rng = np.random.default_rng(0)
    return Counter(verdicts([above(planted(effect, rng, seeds=seeds))])[0] for _ in range(TRIALS))


@pytest.mark.parametrize("seeds", [1, 2, 3, 6])
def test_without_an_effect_five_percent_of_the_verdicts_are_false(seeds: int) -> None:
    counts = rates(0.0, seeds=seeds)
    assert counts["supported"] + counts["contradicted"] <= (0.05 + NOISE) * TRIALS


def test_effects_of_the_papers_size_are_supported_and_reversed_ones_contradicted() -> None:
    assert rates(0.088)["supported"] > 0.99 * TRIALS
    assert rates(-0.088)["contradicted"] > 0.99 * TRIALS


def test_an_effect_at_the_margin_is_called_equivalent_in_five_percent() -> None:
    rng = np.random.default_rng(0)
    found = [verdicts([within(planted(0.01, rng), -0.01, 0.01)])[0] for _ in range(TRIALS)]
    assert Counter(found)["supported"] <= (0.05 + NOISE) * TRIALS
    assert Counter(found)["contradicted"] <= (0.05 + NOISE) * TRIALS


def test_no_effect_is_equivalent_and_a_large_one_is_not() -> None:
    rng = np.random.default_rng(0)
    assert verdicts([within(planted(0.0, rng, seeds=6), -0.03, 0.03)]) == ["supported"]
    assert verdicts([within(planted(0.09, rng, seeds=6), -0.03, 0.03)]) == ["contradicted"]


def test_among_twenty_claims_without_effect_any_false_verdict_is_rare() -> None:
    rng = np.random.default_rng(0)
    pages = [verdicts([above(planted(0.0, rng)) for _ in range(20)]) for _ in range(400)]
    assert sum(set(page) != {"undecided"} for page in pages) <= (0.05 + 3 * (0.05 * 0.95 / 400) ** 0.5) * 400


def test_holm_multiplies_the_smallest_p_value_by_the_number_of_claims_and_stops_at_the_first_that_is_too_large() -> (
    None
):
    p_values = [0.012, 0.01, 0.03]  # 0.01 * 3 and 0.012 * 2 and 0.03 are all below 0.05
    assert verdicts([Evidence(opposite=p, claim=1.0) for p in p_values]) == ["supported"] * 3
    assert verdicts([Evidence(opposite=p, claim=1.0) for p in (0.03, 0.01, 0.03)])[0] == "undecided"  # 0.03 * 2
    assert verdicts([Evidence(opposite=1.0, claim=0.001)]) == ["contradicted"]


def test_an_order_is_supported_only_by_all_its_steps() -> None:
    steps = [_sure(value) for value in (9.0, 1.0)]
    assert verdicts([all_above(steps)]) == ["undecided"]
    assert verdicts([all_above(steps[:1])]) == ["supported"]
    reversed_step = _sure(-9.0)
    assert verdicts([all_above([steps[0], reversed_step])]) == ["contradicted"]


def test_the_interval_of_three_seeds_is_that_of_students_t() -> None:
    low, high = estimate([0.1, 0.2, 0.3], image_error=0.0, assumed=Spread(value=1.0)).interval()
    assert (low, high) == pytest.approx((-0.0484, 0.4484), abs=1e-4)  # 4.3027 * 0.1 / sqrt(3)


def test_an_effect_without_any_error_has_the_verdict_of_its_sign() -> None:
    known = Spread(value=0.0)
    measured = [estimate([value], image_error=0.0, assumed=known) for value in (0.1, -0.1, 0.0)]
    assert [verdicts([above(each)])[0] for each in measured] == ["supported", "contradicted", "undecided"]


def test_p_values_agree_with_the_interval() -> None:
    effect = Estimate(value=0.1, spread=Spread(value=0.02, freedom=2), image_error=0.01, seeds=3)
    low, high = effect.interval()
    assert (effect.p_above(low), effect.p_below(high)) == pytest.approx((0.025, 0.025))
    assert (effect.p_below(low), effect.p_above(high)) == pytest.approx((0.975, 0.975))
