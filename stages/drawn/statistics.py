"""Statistics of VOC2007 as numbers, and random images and objects that have them.

Measured on the 5,008 images of VOC2007 trainval that were available (of 5,011) with their 15,655 objects, difficult
ones included, by `benchmarks/drawn_statistics.py`; docs/drawn-images.md compares drawn images with them. The scale of a
box is the root of its share of the image's area. Distributions are given by their quantiles at `LEVELS`.

Tested in tests/stages/drawn/test_statistics.py.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log

import numpy as np

LEVELS = (0, 0.02, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.98, 1)

IMAGE_SHAPES = (0.192, 0.564, 0.664, 0.666, 0.668, 0.75, 0.75, 0.75, 0.75, 0.75, 0.75, 0.906, 1.0)
"""Quantiles of the shorter side over the longer one."""

PORTRAITS = 0.182
"""Share of images that are higher than wide."""

COUNTS = (
    0.3722, 0.2328, 0.1182, 0.0751, 0.0563, 0.0415, 0.0256, 0.0180, 0.0118, 0.0118,
    0.0066, 0.0070, 0.0066, 0.0014, 0.0042, 0.0020, 0.0016, 0.0012, 0.0016, 0.0046,
)  # fmt: skip
"""Shares of images with 1, 2, ... objects; the last is of 20 or more, 26 on average."""

SCALES_UP_TO = (1, 2, 4, 8)
"""Numbers of objects in an image up to which each row of `SCALES` holds; the last row is for more."""

SCALES = (
    (0.045, 0.115, 0.236, 0.358, 0.467, 0.569, 0.648, 0.718, 0.779, 0.845, 0.919, 0.990, 1.000),
    (0.035, 0.074, 0.153, 0.244, 0.319, 0.389, 0.454, 0.527, 0.606, 0.687, 0.797, 0.958, 1.000),
    (0.021, 0.053, 0.098, 0.149, 0.196, 0.254, 0.312, 0.382, 0.464, 0.555, 0.686, 0.877, 1.000),
    (0.018, 0.042, 0.069, 0.098, 0.132, 0.162, 0.203, 0.249, 0.313, 0.388, 0.511, 0.750, 0.988),
    (0.019, 0.033, 0.053, 0.073, 0.091, 0.110, 0.132, 0.160, 0.197, 0.254, 0.354, 0.608, 0.997),
)
"""Quantiles of the scale."""

RATIOS_UP_TO = (0.22, 0.46, 0.81)
"""Scales up to which each row of `RATIOS` holds."""

RATIOS = (
    (0.08, 0.23, 0.33, 0.41, 0.50, 0.61, 0.74, 0.89, 1.09, 1.37, 1.87, 2.93, 12.52),
    (0.09, 0.26, 0.37, 0.48, 0.58, 0.68, 0.79, 0.94, 1.13, 1.38, 1.93, 3.45, 10.42),
    (0.18, 0.37, 0.53, 0.65, 0.77, 0.89, 1.04, 1.20, 1.46, 1.76, 2.25, 3.52, 15.03),
    (0.31, 0.58, 0.71, 0.85, 1.04, 1.17, 1.28, 1.34, 1.44, 1.54, 1.77, 2.09, 3.42),
)
"""Quantiles of width over height, in pixels."""

SHARES_UP_TO = (0.06, 0.10, 0.15, 0.22, 0.32, 0.46, 0.64, 0.81)
"""Scales up to which each number of the two rows below holds."""

DIFFICULT = (0.78, 0.41, 0.25, 0.19, 0.13, 0.07, 0.05, 0.03, 0.07)
"""Shares of objects that are marked difficult."""

CUT = (0.05, 0.10, 0.14, 0.20, 0.25, 0.31, 0.39, 0.47, 0.66)
"""Shares of objects that are marked truncated and whose box touches the border of the image. Boxes away from it are
marked truncated, too, where something hides a part: 52 % of all in VOC2007, 27 % at the border."""

OVERLAPPING = 0.62
"""Share of objects of which the box of another covers at least a tenth."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What an object is to look like, before its class and its place are drawn."""

    scale: float
    ratio: float
    """Width over height."""

    cut: bool
    """Cut by the border of the image."""

    difficult: bool
    overlaps: bool = False
    """The box of an object behind it covers at least a tenth of its box."""

    crowd: bool = False
    """Many small objects under one box."""


def image_size(sides: tuple[int, int], rng: np.random.Generator) -> tuple[int, int]:
    """Height and width of an image; its longer side is the larger one of `sides`, and none is below the smaller one."""
    smallest, longer = sides
    shorter = max(smallest, round(longer * from_quantiles(IMAGE_SHAPES, rng)))
    return (longer, shorter) if rng.random() < PORTRAITS else (shorter, longer)


def wanted_objects(rng: np.random.Generator) -> list[Wanted]:
    """Objects of one image, the largest first."""
    count = 1 + int(np.searchsorted(np.cumsum(COUNTS), rng.random() * sum(COUNTS)))
    if count == len(COUNTS):
        count += int(rng.integers(13))  # 20 to 32, 26 on average
    quantiles = SCALES[bisect_left(SCALES_UP_TO, count)]
    scales = sorted((from_quantiles(quantiles, rng) for _ in range(count)), reverse=True)
    return [wanted_object(scale, rng) for scale in scales]


def wanted_object(scale: float, rng: np.random.Generator) -> Wanted:
    """An object of this scale."""
    place = bisect_right(SHARES_UP_TO, scale)
    return Wanted(
        scale=scale,
        ratio=from_quantiles(RATIOS[bisect_right(RATIOS_UP_TO, scale)], rng),
        cut=bool(rng.random() < CUT[place]),
        difficult=bool(rng.random() < DIFFICULT[place]),
        overlaps=bool(rng.random() < OVERLAPPING),
    )


def from_quantiles(quantiles: Sequence[float], rng: np.random.Generator) -> float:
    """A random number of the distribution with these quantiles, log-linear between them."""
    level = rng.random()
    after = bisect_right(LEVELS, level)
    share = (level - LEVELS[after - 1]) / (LEVELS[after] - LEVELS[after - 1])
    return exp((1 - share) * log(quantiles[after - 1]) + share * log(quantiles[after]))
