"""What a number of seeds can show, against simulated trainings."""

from __future__ import annotations

import numpy as np
import pytest

from ssd_core.metrics.estimate import Spread, estimate
from ssd_core.metrics.power import detectable, margin_shown, seeds_needed
from ssd_core.metrics.verdict import above, verdicts, within

SPREAD = 0.01


def test_the_textbooks_sample_size_for_one_mean() -> None:
    """An effect of one standard deviation needs 10 pairs for 80 % at 5 % (Cohen, 1988, with t)."""
    assert seeds_needed(1.0, Spread(value=1.0), image_error=0.0) == 10


@pytest.mark.parametrize("seeds", [2, 3, 6])
def test_the_effect_that_is_announced_is_found_in_eighty_percent(seeds: int) -> None:
    effect = detectable(Spread(value=SPREAD), image_error=0.0, seeds=seeds)
    rng = np.random.default_rng(0)
    found = 0
    for values in (effect + SPREAD * rng.standard_normal((2000, seeds))).tolist():
        measured = estimate(values, image_error=0.0, assumed=Spread(value=SPREAD))
        found += verdicts([above(measured)]) == ["supported"]
    assert found / 2000 == pytest.approx(0.8, abs=0.03)  # three standard errors


def test_the_margin_that_is_announced_is_shown_in_eighty_percent() -> None:
    margin = margin_shown(Spread(value=SPREAD), image_error=0.0, seeds=8)
    rng = np.random.default_rng(0)
    shown = 0
    for values in (SPREAD * rng.standard_normal((2000, 8))).tolist():
        measured = estimate(values, image_error=0.0, assumed=Spread(value=SPREAD))
        shown += verdicts([within(measured, -margin, margin)]) == ["supported"]
    assert shown / 2000 == pytest.approx(0.8, abs=0.04)  # the margin is approximate


def test_no_number_of_seeds_makes_up_for_too_few_images() -> None:
    assert seeds_needed(0.01, Spread(value=SPREAD), image_error=0.01) is None
