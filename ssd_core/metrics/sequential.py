"""When to stop adding seeds: a test whose rate of false verdicts holds although it looks after every seed.

The rule is Wald's sequential probability ratio test (1945) of an effect, in both directions, on the P values of t
statistics (the significance level approach of Jennison and Turnbull, 2000): after n seeds a claim is decided if its
P value is below `Design.bound`, the normal tail beyond

    (log(2 / level) - c * step) / drift + drift / 2,

where drift is the design's effect in standard errors at n seeds. c corrects for looks at whole seeds only: Siegmund's
0.583 (1985), as in Whitehead's sequential tests. The total level is spent over all seeds that may follow, so that the
rule needs no number of looks. A claim is given up beyond `Design.hopeless`, where no effect is more likely than the
design's by `GIVE_UP`. Error over images counts as it does in `ssd_core.metrics.estimate`: information grows with the
seeds up to what the images allow.

Spread: two rows with two seeds each have two degrees of freedom, too few to decide anything. The stated spread is
therefore added as `STATED_FREEDOM` degrees of freedom, but only while the rows vary less than it says; and since it
then bounds what the seeds can show by chance, c is `SUPPORTED`. Both constants are by simulation.

Tested in tests/ssd_core/metrics/test_sequential.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any, cast

import numpy as np

from ssd_core.metrics.verdict import LEVEL, Evidence

FIRST_LOOK = 2
"""Number of seeds of the first look: one shows nothing of its own spread."""

OVERSHOOT = 0.583
SUPPORTED = 0.85
STATED_FREEDOM = 2.0
GIVE_UP = 0.4
"""Likelihood of the design's effect relative to no effect, below which more seeds are not worth their cost."""

LARGEST_STEP = 1.4
"""Largest effect that a claim is designed for, in standard errors of one seed: a fixed design of six seeds. A claim on
a larger effect would otherwise be blind to one that is half as large."""

LEAST_DRIFT = 2.8
"""Smallest effect that a claim is designed for, in standard errors at the most seeds: found with 80 % probability."""

Numbers = Any
"""A number, or an array of simulated ones."""


@dataclass(frozen=True, kw_only=True)
class Design:
    """What the looks at one claim are planned for."""

    effect: float
    spread: float
    """Stated standard deviation of the effect between seeds."""

    image_error: float = 0.0

    def bound(self, seeds: int, level: float = LEVEL, *, supported: Numbers = False) -> Numbers:
        """P value up to which a claim is decided; `supported` as returned by `moderated`."""
        from scipy.special import ndtr

        drift, before = self.drift(seeds), self.drift(seeds - 1)
        step = sqrt(drift**2 - before**2)
        correction = np.where(supported, SUPPORTED, OVERSHOOT) * step
        return 2 * ndtr(-((np.log(2 / level) - correction) / drift + drift / 2))

    def hopeless(self, seeds: int) -> float:
        """P value above which a claim is given up."""
        from scipy.special import ndtr

        drift = self.drift(seeds)
        return float(2 * ndtr(-(drift / 2 + np.log(GIVE_UP) / drift)))  # above 1 where the seeds are too few to say

    def drift(self, seeds: int) -> float:
        """The effect in standard errors."""
        return self.effect / sqrt(self.spread**2 / seeds + self.image_error**2) if seeds else 0.0


def design(target: float | None, *, spread: float, image_error: float = 0.0, most_seeds: int) -> Design:
    """The design for a target, such as the paper's effect; without one, for the smallest that `most_seeds` find."""
    one = Design(effect=1.0, spread=spread, image_error=image_error)
    least, largest = LEAST_DRIFT / one.drift(most_seeds), LARGEST_STEP / one.drift(1)
    effect = max(least, min(least if target is None else abs(target), largest))
    return Design(effect=effect, spread=spread, image_error=image_error)


def moderated(variance: Numbers, freedom: Numbers, *, stated: float) -> tuple[Numbers, Numbers, Numbers]:
    """Variance, degrees of freedom, and whether the stated variance was added to those of the rows."""
    supported = np.asarray(variance) <= stated
    both = (freedom * variance + STATED_FREEDOM * stated) / (freedom + STATED_FREEDOM)
    return np.where(supported, both, variance), freedom + np.where(supported, STATED_FREEDOM, 0.0), supported


@dataclass(frozen=True, kw_only=True)
class Look:
    """The evidence on one undecided claim after some seeds."""

    evidence: Evidence
    seeds: int
    design: Design | None
    """None for a claim whose numbers are measured once: looked at once, at the whole level."""

    supported: bool = False

    @property
    def p_value(self) -> float:
        return min(self.evidence.opposite, self.evidence.claim)

    def is_decided(self, level: float) -> bool:
        bound = self.design.bound(self.seeds, level, supported=self.supported) if self.design else level
        return self.p_value <= cast(float, bound)

    @property
    def is_hopeless(self) -> bool:
        return self.design is None or self.p_value > self.design.hopeless(self.seeds)


def decided(looks: Sequence[Look], *, undecided: int, level: float = LEVEL) -> set[int]:
    """Places of the looks that decide, by Holm's correction: the level is shared by the claims not decided before.

    `undecided` is the number of claims that were not decided by earlier looks, given up or not.
    """
    places: set[int] = set()
    while more := {
        place
        for place, look in enumerate(looks)
        if place not in places and look.is_decided(level / (undecided - len(places)))
    }:
        places |= more
    return places
