"""Bisection over planted scores: what it finds, in how many comparisons, with how many seeds, and how often wrongly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from experiments.framework.search.bisecting import Bisection, Combination, Conclusion, Rule, most_comparisons
from experiments.framework.search.evidence import Assumed, Scores, effect, spread_of
from ssd_core.metrics.estimate import Spread

ASSUMED = Assumed(seeds=Spread(value=0.01), images=0.0)
RULE = Rule(assumed=ASSUMED)


@dataclass
class Planted:
    """Scores that are a function of the combination, with noise between seeds."""

    truth: Callable[[Combination], float]
    noise: float = 0.005
    seed: int = 0

    def __post_init__(self) -> None:
        self.trained: dict[tuple[Combination, int], float] = {}

    def score(self, combination: Combination, seed: int) -> float:
        if (combination, seed) not in self.trained:
            rng = np.random.default_rng([self.seed, seed, sum(1 << place for place in combination)])
            self.trained[combination, seed] = self.truth(combination) + self.noise * float(rng.standard_normal())
        return self.trained[combination, seed]

    def bisect(self, count: int = 5, rule: Rule = RULE) -> Conclusion:
        search = Bisection(count, rule).run()
        need = next(search)
        try:
            while True:
                need = search.send(
                    {each: Scores(values={s: self.score(each, s) for s in range(n)}) for each, n in need.seeds.items()}
                )
        except StopIteration as done:
            conclusion: Conclusion = done.value
        return conclusion


def matters(*places: int, by: float = -0.05) -> Callable[[Combination], float]:
    """A truth in which the settings matter only together."""
    return lambda combination: 0.5 + by * (set(places) <= combination)


@pytest.mark.parametrize("place", range(5))
def test_the_one_of_five_settings_that_matters_is_found_in_at_most_four_comparisons(place: int) -> None:
    planted = Planted(matters(place))
    found = planted.bisect()
    assert (found.kind, found.settings) == ("one", (place,))
    assert len(found.comparisons) <= 4 == most_comparisons(5)
    assert found.effect is not None
    assert found.rest is not None
    assert found.effect.interval(0.999)[0] < -0.05 < found.effect.interval(0.999)[1]
    assert found.rest.interval(0.999)[0] < 0 < found.rest.interval(0.999)[1]


def test_each_comparison_has_the_seeds_that_its_interval_needs() -> None:
    clear, noisy = Planted(matters(1), noise=0.002), Planted(matters(1), noise=0.012)
    assert (clear.bisect().settings, noisy.bisect().settings) == ((1,), (1,))
    few, many = (max(seed for _, seed in each.trained) + 1 for each in (clear, noisy))
    assert 2 <= few < many <= 8


@pytest.mark.parametrize(("first", "second"), [(0, 1), (0, 4), (1, 3), (2, 3), (3, 4)])
def test_two_settings_that_only_matter_together_are_said_to(first: int, second: int) -> None:
    found = Planted(matters(first, second)).bisect()
    assert (found.kind, found.settings) == ("together", (first, second))
    assert found.effect is not None
    assert found.effect.value == pytest.approx(-0.05, abs=0.01)
    assert [abs(each.value) < 0.015 for each in found.alone] == [True, True]


def test_a_setting_that_makes_the_whole_difference_alone_is_found_even_where_another_undoes_it() -> None:
    def truth(combination: Combination) -> float:
        return 0.5 + 0.05 * (3 in combination and (0 not in combination or 4 in combination))

    found = Planted(truth).bisect()
    assert (found.kind, found.settings) == ("one", (3,))


def test_halves_that_share_the_difference_are_not_said_to_hold_one_setting() -> None:
    found = Planted(lambda combination: 0.5 + 0.02 * (0 in combination) + 0.02 * (4 in combination)).bisect()
    assert found.kind == "several"
    assert found.settings == (0, 1, 2, 3, 4)
    assert found.comparisons[-1].side == "undecided"
    assert found.comparisons[-1].seeds == 8


def test_without_a_difference_nothing_between_a_and_b_is_trained() -> None:
    planted = Planted(lambda _: 0.5)
    found = planted.bisect()
    assert (found.kind, found.comparisons) == ("none", ())
    assert {combination for combination, _ in planted.trained} == {frozenset(), frozenset(range(5))}


def test_a_single_setting_needs_no_comparison_between_a_and_b() -> None:
    found = Planted(matters(0)).bisect(1)
    assert (found.kind, found.settings, found.comparisons) == ("one", (0,), ())
    assert found.effect == found.difference


def test_at_most_one_answer_in_twenty_is_wrong_where_seeds_differ_by_a_third_of_the_difference() -> None:
    answers = [Planted(matters(3), noise=0.017, seed=seed).bisect() for seed in range(40)]
    assert sum(each.kind in ("one", "together") and each.settings != (3,) for each in answers) <= 2
    assert sum(each.settings == (3,) for each in answers) >= 16
    nothing = [Planted(lambda _: 0.5, noise=0.017, seed=seed).bisect() for seed in range(40)]
    assert sum(each.kind != "none" for each in nothing) <= 2


def test_a_repeated_search_asks_for_the_same_trainings() -> None:
    first, second = Planted(matters(2), noise=0.01), Planted(matters(2), noise=0.01)
    assert first.bisect() == second.bisect()
    assert list(first.trained) == list(second.trained)


def test_an_effect_counts_the_seeds_of_both_sides_and_the_images_that_they_share() -> None:
    images = np.random.default_rng(0).normal(0, 0.02, 200)
    scores = {
        "a": Scores(values={0: 0.4, 1: 0.6}, samples={0: images, 1: images}),
        "b": Scores(values=dict.fromkeys(range(8), 0.7), samples=dict.fromkeys(range(8), images + 0.2)),
    }
    spread = spread_of(scores.values(), ASSUMED.seeds)
    assert (spread.value, spread.freedom) == (pytest.approx((0.02 / 8) ** 0.5), 8)
    difference = effect({"b": 1, "a": -1}, scores, spread, ASSUMED)
    assert difference.value == pytest.approx(0.2)
    assert difference.seed_error == pytest.approx(spread.value * (1 / 2 + 1 / 8) ** 0.5)
    assert difference.image_error == pytest.approx(0, abs=1e-12)
    assert spread_of([Scores(values={0: 0.4})], ASSUMED.seeds) == ASSUMED.seeds
