"""Scores of trainings that differ in settings and seeds, and effects between them.

Seeds are few and trainings many, so that the spread between seeds is estimated from all of them together. Trainings
count as independent, also those of equal seed.

Tested in tests/experiments/framework/search/test_bisecting.py.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from math import sqrt
from statistics import mean
from typing import TypeVar

import numpy as np

from experiments.framework.claims.power import pooled
from pipeline.errors import PipelineError
from pipeline.folder import Folder
from pipeline.store.record import read_summary
from ssd_core.metrics.estimate import Estimate, Spread
from stages.tables.resampling import Sample, mean_sample, resampled

REPLICATES = 200
"""Resamplings of the images; the standard deviation over them is known to 5 %."""

What = TypeVar("What", bound=Hashable)


@dataclass(frozen=True, kw_only=True)
class Scores:
    """The scores of one choice of settings."""

    values: Mapping[int, float]
    """Values by seed."""

    samples: Mapping[int, Sample] = field(default_factory=dict)
    """Scores on resampled images, by seed; empty where they cannot be resampled."""

    @property
    def mean(self) -> float:
        return mean(self.values.values())


@dataclass(frozen=True, kw_only=True)
class Assumed:
    """Errors of one training's score that count where nothing is measured."""

    seeds: Spread
    images: float


def read_scores(metric: str, results: Mapping[int, Folder]) -> Scores:
    """Scores from evaluations by seed. Raises PipelineError for a number that they do not have."""
    values = {}
    for seed, folder in results.items():
        numbers = read_summary(folder)
        if metric not in numbers:
            known = ", ".join(name for name in numbers if name.count("/") == 1)
            raise PipelineError(f"the evaluation has no number {metric!r}: --metric takes {known}")
        values[seed] = float(numbers[metric])
    return Scores(values=values, samples=resampled(metric, results, REPLICATES))


def spread_of(scores: Iterable[Scores], assumed: Spread) -> Spread:
    """Standard deviation between seeds, over all choices of settings; the assumed one if none has two seeds."""
    rows = [list(each.values.values()) for each in scores if len(each.values) > 1]
    return pooled(rows) if rows else assumed


def effect(weights: Mapping[What, float], scores: Mapping[What, Scores], spread: Spread, assumed: Assumed) -> Estimate:
    """The weighted sum of mean scores, with its errors over seeds and images."""
    terms = [(weight, scores[what]) for what, weight in weights.items()]
    error = spread.value * sqrt(sum(weight**2 / len(each.values) for weight, each in terms))
    images = assumed.images * sqrt(sum(weight**2 for weight, _ in terms))
    if all(each.samples for _, each in terms):
        sample = sum(weight * mean_sample(each.samples, each.samples) for weight, each in terms)
        images = float(np.nanstd(np.asarray(sample), ddof=1))
    seeds = min(len(each.values) for _, each in terms)
    return Estimate(
        value=sum(weight * each.mean for weight, each in terms),
        spread=Spread(value=error * sqrt(seeds), freedom=spread.freedom),
        image_error=images,
        seeds=seeds,
    )
