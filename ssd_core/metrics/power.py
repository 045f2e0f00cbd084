"""What a number of seeds can show, by the intervals of `ssd_core.metrics.estimate`.

Power is the mean, over the spreads that so many seeds may happen to have, of the probability that the measured effect
exceeds the half width of the interval.
"""

from __future__ import annotations

from dataclasses import replace
from math import hypot, sqrt

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from ssd_core.metrics.estimate import Spread
from ssd_core.metrics.verdict import LEVEL

POWER = 0.8
MOST_SEEDS = 60
"""Larger numbers of seeds are not proposed."""


def detectable(spread: Spread, *, image_error: float, seeds: int, level: float = LEVEL) -> float:
    """The effect whose direction is found with the probability `POWER`, when seeds differ by `spread`."""
    return _smallest(_half_widths(spread, image_error, seeds, level / 2), _error(spread, image_error, seeds), POWER)


def margin_shown(spread: Spread, *, image_error: float, seeds: int, level: float = LEVEL) -> float:
    """The margin within which an effect of zero is shown to lie, with the probability `POWER`."""
    widths = _half_widths(spread, image_error, seeds, level)
    return _smallest(widths, _error(spread, image_error, seeds), (1 + POWER) / 2)  # on both sides


def seeds_needed(
    effect: float, spread: Spread, *, image_error: float, equivalence: bool = False, level: float = LEVEL
) -> int | None:
    """Least number of seeds that finds an effect or, with `equivalence`, shows that there is none as large.

    None if `MOST_SEEDS` are too few: their spread is too large, or the test images are too few.
    """
    reach = margin_shown if equivalence else detectable
    if reach(spread, image_error=image_error, seeds=MOST_SEEDS, level=level) > abs(effect):
        return None
    for seeds in range(1, MOST_SEEDS):
        if reach(spread, image_error=image_error, seeds=seeds, level=level) <= abs(effect):
            return seeds
    return MOST_SEEDS


def _error(spread: Spread, image_error: float, seeds: int) -> float:
    return hypot(spread.value / sqrt(seeds), image_error)


def _half_widths(spread: Spread, image_error: float, seeds: int, tail: float) -> Float[ndarray, " Q"]:
    """Half widths of the interval at evenly probable spreads of so many seeds; one seed has the given spread."""
    from scipy.special import chdtri, ndtri, stdtrit

    measured = replace(spread, freedom=seeds - 1) if seeds > 1 else spread
    shares = np.array([1.0])
    if seeds > 1:
        shares = chdtri(measured.freedom, (np.arange(200) + 0.5) / 200) / measured.freedom
    over_seeds = stdtrit(measured.freedom, 1 - tail) * spread.value / sqrt(seeds)
    widths: Float[ndarray, " Q"] = np.hypot(over_seeds * np.sqrt(shares), ndtri(1 - tail) * image_error)
    return widths


def _smallest(widths: Float[ndarray, " Q"], error: float, power: float) -> float:
    """The distance that exceeds the half widths with probability `power`, by bisection."""
    from scipy.special import ndtr

    if not error:
        return 0.0
    low, high = 0.0, float(widths.max()) + 10 * error
    while high - low > 1e-6 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if ndtr((middle - widths) / error).mean() < power else (low, middle)
    return high
