"""Learning rates by hand; the paper's schedule from section 3.1."""

from __future__ import annotations

from typing import Any

import pytest

from ssd_core.spec.schedule import Schedule


@pytest.mark.parametrize(
    ("iteration", "rate"), [(0, 1e-3), (39_999, 1e-3), (40_000, 1e-4), (49_999, 1e-4), (50_000, 1e-5), (59_999, 1e-5)]
)
def test_the_default_is_the_papers_40k_10k_10k(iteration: int, rate: float):
    assert Schedule().learning_rate(iteration) == pytest.approx(rate)
    assert Schedule().iterations == 60_000


def test_warm_up_rises_in_equal_steps_to_the_base_rate_and_drops_come_after_it():
    schedule = Schedule(iterations=10, base_lr=0.8, drops=(6, 8), gamma=0.5, warmup=4)
    rates = [schedule.learning_rate(iteration) for iteration in range(10)]
    assert rates == pytest.approx([0.2, 0.4, 0.6, 0.8, 0.8, 0.8, 0.4, 0.4, 0.2, 0.2])


def test_a_scaled_schedule_has_the_same_shape():
    half = Schedule(iterations=1000, drops=(600, 900), warmup=100, gamma=0.2, base_lr=0.3).scaled(0.5)
    assert half == Schedule(iterations=500, drops=(300, 450), warmup=50, gamma=0.2, base_lr=0.3)


def test_schedules_without_iterations_or_with_drops_out_of_order_are_refused():
    with pytest.raises(ValueError, match="at least one iteration, but has 0"):
        Schedule(iterations=0)
    for drops in ((50, 40), (40, 40)):
        with pytest.raises(ValueError, match=r"drops must be increasing, but are \("):
            Schedule(drops=drops)


@pytest.mark.parametrize("value", [-1e-3, float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["base_lr", "gamma", "warmup"])
def test_learning_rates_that_are_negative_or_no_number_are_refused_when_set(name: str, value: float):
    values: dict[str, Any] = {name: value}
    with pytest.raises(ValueError, match=f"{name} must be a number of at least 0, but is {value}"):
        Schedule(**values)


def test_a_cosine_falls_from_the_base_rate_after_the_warm_up_to_zero_at_the_end_without_drops():
    schedule = Schedule(iterations=14, base_lr=0.8, drops=(6, 8), gamma=0.5, warmup=2, curve="cosine")
    rates = [schedule.learning_rate(iteration) for iteration in range(15)]
    assert rates[:3] == pytest.approx([0.4, 0.8, 0.8])
    assert rates[6] == pytest.approx(0.6)  # a third of the way: (1 + cos 60 degrees) / 2
    assert rates[8] == pytest.approx(0.4)
    assert rates[14] == pytest.approx(0.0)
    assert rates[13] > 0
    assert schedule.scaled(0.5) == Schedule(
        iterations=7, base_lr=0.8, drops=(3, 4), gamma=0.5, warmup=1, curve="cosine"
    )
