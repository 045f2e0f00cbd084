"""Bounds of the statistical tests. Seeds are fixed; a correct implementation fails for at most one in 10^6 seeds."""

from __future__ import annotations

from collections.abc import Callable
from math import log, sqrt

import numpy as np
import pytest

FALSE_ALARM = 1e-6


@pytest.fixture
def assert_share() -> Callable[[np.ndarray, float], None]:
    """Assert that the share of true values is a probability, within 5 standard deviations of a binomial (6e-7)."""

    def check(hits: np.ndarray, probability: float) -> None:
        deviation = sqrt(probability * (1 - probability) / len(hits))
        assert np.mean(hits) == pytest.approx(probability, abs=5 * deviation)

    return check


@pytest.fixture
def assert_distributed() -> Callable[[np.ndarray, Callable[[np.ndarray], np.ndarray]], None]:
    """Assert that values have a cumulative distribution, by the Kolmogorov-Smirnov test.

    The bound is Massart's: the distance is above d with a probability of at most 2 exp(-2 n d^2).
    """

    def check(values: np.ndarray, cumulative: Callable[[np.ndarray], np.ndarray]) -> None:
        expected = cumulative(np.sort(values))
        below = np.arange(len(values)) / len(values)
        distance = max(np.max(expected - below), np.max(below + 1 / len(values) - expected))
        assert distance < sqrt(log(2 / FALSE_ALARM) / (2 * len(values)))

    return check


@pytest.fixture
def assert_uniform(assert_distributed) -> Callable[[np.ndarray, float, float], None]:
    """Assert that values are uniform in a range."""

    def check(values: np.ndarray, low: float, high: float) -> None:
        assert low <= values.min()
        assert values.max() <= high
        assert_distributed(values, lambda value: (value - low) / (high - low))

    return check
