"""Confidence intervals of mean average precision: a paired bootstrap over the test images.

Test images are resampled with replacement; both detectors are scored on the same sample, so that the difficulty of an
image does not count as a difference. Weights replace copies: an image drawn twice has weight 2. Letters: R replicates,
N images, L recall levels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from ssd_core.metrics.voc_ap import Outcomes

LEVELS = 0.1 * np.arange(11)
"""Recall levels of the 11-point average precision, bit-equal to those in `ssd_core.metrics.voc_ap`."""

COCO_LEVELS = np.linspace(0, 1, 101)
"""COCO's recall levels. Over the outcomes of each class at each of its ten IoU thresholds, the mean is COCO's AP."""


def image_weights(images: int, replicates: int, rng: np.random.Generator) -> Int[ndarray, "R N"]:
    """Return how often each image is drawn in each replicate."""
    return rng.multinomial(images, np.full(images, 1 / images), size=replicates)


def replicate_map(
    outcomes: Sequence[Outcomes], weights: Int[ndarray, "R N"], levels: Float[ndarray, " L"] | None = LEVELS
) -> Float[ndarray, " R"]:
    """Return the mean average precision of each replicate; `Outcomes.images` index the columns of `weights`.

    It is 11-point by default; `levels=None` gives the area under the curve (VOC from 2010 on). A class without objects
    in a replicate is excluded from its mean; a replicate without any object is NaN.
    """
    per_class = np.array([[_ap(item, drawn, levels) for drawn in weights] for item in outcomes])
    present = ~np.isnan(per_class)
    with np.errstate(invalid="ignore"):
        mean: Float[ndarray, " R"] = np.nansum(per_class, axis=0) / present.sum(axis=0)
    return mean


def interval(values: Float[ndarray, " R"], level: float = 0.95) -> tuple[float, float]:
    """Return the percentile interval that contains `level` of the replicates that have objects."""
    low, high = np.nanquantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _ap(outcomes: Outcomes, weights: Int[ndarray, " N"], levels: Float[ndarray, " L"] | None) -> float:
    """Average precision of one class in one replicate: the mean over the recall levels, or the area."""
    objects = weights[outcomes.object_images].sum()
    if not objects:
        return np.nan
    drawn = weights[outcomes.images]
    found = drawn * outcomes.true
    hits, visited = np.cumsum(found), np.cumsum(drawn * outcomes.counted)
    precision = hits / np.maximum(visited, 1)
    best = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)  # at this recall or more
    if levels is None:
        return float((found * best[:-1]).sum() / objects)
    return float(best[np.searchsorted(hits / objects, levels)].mean())
