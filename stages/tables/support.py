"""Whether the data support a difference: it must exceed the variation over test images and over seeds.

Test images: the paired-bootstrap interval excludes zero. Seeds: with two or more, the t interval of their mean excludes
zero too. One seed shows nothing about others, and the code that prints the verdict says so.
"""

from __future__ import annotations

from math import sqrt

LEVEL = 0.95

Bounds = tuple[float, float]


def is_supported(value: float, bounds: Bounds, spread: float | None, seeds: int) -> bool:
    """Whether `value` is supported; `bounds` are its interval over test images, `spread` its standard deviation over
    seeds (None for one seed)."""
    if not (bounds[0] > 0 or bounds[1] < 0):  # NaN supports nothing
        return False
    return spread is None or abs(value) > half_width(spread, seeds)


def half_width(spread: float, seeds: int) -> float:
    """Half the width of the t interval of a mean over seeds: 4.30 standard errors for three seeds."""
    from scipy.special import stdtrit

    return float(stdtrit(seeds - 1, (1 + LEVEL) / 2)) * spread / sqrt(seeds)
