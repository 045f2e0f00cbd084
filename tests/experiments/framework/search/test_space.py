"""Ranges and choices of a search, and the points that are tried."""

from __future__ import annotations

from itertools import pairwise
from math import log10

import pytest

from experiments.framework.search.space import Choice, Range, divided, trials
from pipeline.errors import PipelineError

RATE = "schedule.base_lr=1e-4..1e-2:log"


def test_ranges_and_choices_are_told_from_settings_with_one_value() -> None:
    fixed, axes = divided([RATE, "batch_size=4", "optimiser=sgd|adamw", "schedule.warmup=0..100", "momentum=0.5..0.99"])
    assert fixed == ["batch_size=4"]
    assert axes == [
        Range(name="schedule.base_lr", low=1e-4, high=1e-2, logarithmic=True),
        Choice(name="optimiser", values=("sgd", "adamw")),
        Range(name="schedule.warmup", low=0, high=100, whole=True),
        Range(name="momentum", low=0.5, high=0.99),
    ]


@pytest.mark.parametrize("text", ["a=1...2", "a=2..1", "a=0..1:log", "a=1..x", "a=..", "a=1..2:exp"])
def test_any_other_range_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(PipelineError, match=r"write it as|first end must be below"):
        divided([text])


def test_a_logarithmic_range_has_as_many_trials_in_each_decade() -> None:
    _, axes = divided([RATE])
    drawn = [float(setting.partition("=")[2]) for (setting,) in trials(axes, 20)]
    assert all(1e-4 <= value <= 1e-2 for value in drawn)
    assert sum(value < 1e-3 for value in drawn) in (9, 10, 11)
    gaps = sorted(map(log10, drawn))
    assert max(after - before for before, after in pairwise(gaps)) < 0.2


def test_two_settings_are_covered_together() -> None:
    _, axes = divided(["a=0.0..1.0", "b=0.0..1.0"])
    points = [[float(setting.partition("=")[2]) for setting in each] for each in trials(axes, 32)]
    quarters = {(a < 0.5, b < 0.5): 0 for a in (0, 1) for b in (0, 1)}
    for a, b in points:
        quarters[a < 0.5, b < 0.5] += 1
    assert sorted(quarters.values()) == pytest.approx([8, 8, 8, 8], abs=1)


def test_whole_numbers_include_both_ends_and_no_trial_repeats_another() -> None:
    _, axes = divided(["batch_size=2..4", "optimiser=sgd|adamw"])
    drawn = trials(axes, 50)
    assert len(drawn) == len(set(drawn)) == 6
    assert {setting for each in drawn for setting in each} == {
        "batch_size=2", "batch_size=3", "batch_size=4", "optimiser=sgd", "optimiser=adamw",
    }  # fmt: skip


def test_a_larger_search_contains_a_smaller_one() -> None:
    _, axes = divided([RATE, "batch_size=2..64"])
    assert trials(axes, 16)[:8] == trials(axes, 8)
