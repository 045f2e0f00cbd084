"""Whether the data support a difference: it must be more than other test images and other seeds would make of it.

Test images: the interval of the paired bootstrap leaves zero out. Seeds, from two on: so does the t interval of their
mean. With one seed nothing is known of others, and whoever prints the verdict says so.
"""

from __future__ import annotations

from math import sqrt

LEVEL = 0.95

Bounds = tuple[float, float]


def is_supported(value: float, bounds: Bounds, spread: float | None, seeds: int) -> bool:
    """`bounds` are of the test images, `spread` is the standard deviation over the seeds, None for one seed."""
    if not (bounds[0] > 0 or bounds[1] < 0):  # NaN supports nothing
        return False
    return spread is None or abs(value) > half_width(spread, seeds)


def half_width(spread: float, seeds: int) -> float:
    """Of the t interval of a mean over seeds: 4.30 standard errors for three of them."""
    from scipy.special import stdtrit

    return float(stdtrit(seeds - 1, (1 + LEVEL) / 2)) * spread / sqrt(seeds)
