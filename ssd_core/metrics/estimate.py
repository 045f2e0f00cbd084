"""An effect with its uncertainty over test images and over seeds, and how surely it lies above or below a value.

The error over images is a bootstrap's standard deviation, with all seeds on the same resampled images. The error over
seeds is the spread of the effect between seeds, divided by the root of their number. An interval's half width is
Banerjee's (1961): the root of the sum of (t * error over seeds) squared and (z * error over images) squared. It covers
at least as often as it says, whichever error is larger. (A Satterthwaite approximation does not in the tails: with
three seeds, a verdict among 20 claims without an effect was false in 8.5 % instead of 5 %.)

Tested in tests/ssd_core/metrics/test_verdict.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot, sqrt
from statistics import mean, stdev

KNOWN = 1e6
"""Degrees of freedom of a spread that counts as known."""

MOST_SURE = 8.0
"""Standard errors beyond which a P value is not resolved, 6e-16."""


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Standard deviation between seeds, and the degrees of freedom that it was measured with."""

    value: float
    freedom: float = KNOWN


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """An effect: its mean over seeds, with its errors."""

    value: float
    spread: Spread
    """Of the effect, between seeds."""

    image_error: float
    """Standard error over the test images."""

    seeds: int

    @property
    def seed_error(self) -> float:
        return self.spread.value / sqrt(self.seeds)

    @property
    def is_assumed(self) -> bool:
        """Whether the spread is assumed, because one seed has none."""
        return self.seeds == 1

    def p_above(self, threshold: float) -> float:
        """P value of the hypothesis that the effect is at most `threshold`."""
        distance = self.value - threshold
        tail = self._tail(abs(distance))
        return tail if distance > 0 else 1 - tail

    def p_below(self, threshold: float) -> float:
        """P value of the hypothesis that the effect is at least `threshold`."""
        return 1 - self.p_above(threshold) if self.value >= threshold else self._tail(threshold - self.value)

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        half = half_width((1 + level) / 2, self.seed_error, self.spread.freedom, self.image_error)
        return self.value - half, self.value + half

    def _tail(self, distance: float) -> float:
        """The probability whose quantile gives a half width of `distance`, by bisection over normal quantiles."""
        from scipy.special import ndtr

        both = hypot(self.seed_error, self.image_error)
        low, high = 0.0, min(distance / both, MOST_SURE) if both else MOST_SURE * (distance > 0)
        for _ in range(40 if both else 0):
            middle = (low + high) / 2
            below = half_width(ndtr(middle), self.seed_error, self.spread.freedom, self.image_error) < distance
            low, high = (middle, high) if below else (low, middle)
        return float(ndtr(-high))


def estimate(by_seed: Sequence[float], *, image_error: float, assumed: Spread) -> Estimate:
    """An effect from its value for each seed; `assumed` is its spread if there is one seed alone."""
    spread = Spread(value=stdev(by_seed), freedom=len(by_seed) - 1) if len(by_seed) > 1 else assumed
    return Estimate(value=mean(by_seed), spread=spread, image_error=image_error, seeds=len(by_seed))


def half_width(probability: float, seed_error: float, freedom: float, image_error: float) -> float:
    """Half the width of the interval whose upper end is the quantile of `probability`."""
    from scipy.special import ndtri, stdtrit

    return hypot(float(stdtrit(freedom, probability)) * seed_error, float(ndtri(probability)) * image_error)
