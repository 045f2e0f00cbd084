"""Verdicts on claims about effects: supported, contradicted or undecided, with Holm's correction over several claims.

A claim and its opposite each have a P value. At most one of them is false, so that a claim has one chance of a false
verdict, and Holm's correction keeps the probability of any false verdict among several claims at the level.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ssd_core.metrics.estimate import Estimate

LEVEL = 0.05
"""Probability of any false verdict among the claims that are judged together."""

Verdict = Literal["supported", "contradicted", "undecided", "not tested"]


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """P values of the opposite of a claim, and of the claim."""

    opposite: float
    """Small where the claim holds."""

    claim: float
    """Small where its opposite holds."""


def above(effect: Estimate, threshold: float = 0.0) -> Evidence:
    """Evidence on "the effect is above `threshold`", two-sided: without an effect, either verdict is false."""
    return Evidence(opposite=2 * effect.p_above(threshold), claim=2 * effect.p_below(threshold))


def within(effect: Estimate, low: float, high: float) -> Evidence:
    """Evidence on "the effect is between `low` and `high`": equivalence is shown by two one-sided tests."""
    outside = max(effect.p_above(low), effect.p_below(high))
    return Evidence(opposite=outside, claim=2 * min(effect.p_above(high), effect.p_below(low)))


def all_above(effects: Sequence[Estimate]) -> Evidence:
    """Evidence on "each effect is above 0": each must be shown, and one below 0 suffices to contradict."""
    each = [above(effect) for effect in effects]
    return Evidence(
        opposite=max(one.opposite for one in each), claim=min(1.0, len(each) * min(one.claim for one in each))
    )


def verdicts(evidence: Sequence[Evidence], level: float = LEVEL) -> list[Verdict]:
    """The verdict on each claim, by Holm's step-down correction: the smallest P value is multiplied by the number of
    claims, the next by one less, until one exceeds the level."""
    smallest = [min(one.opposite, one.claim) for one in evidence]
    decided: set[int] = set()
    for rank, place in enumerate(sorted(range(len(evidence)), key=smallest.__getitem__)):
        if not smallest[place] * (len(evidence) - rank) <= level:  # NaN decides nothing
            break
        decided.add(place)
    return [_verdict(one, decided=place in decided) for place, one in enumerate(evidence)]


def _verdict(evidence: Evidence, *, decided: bool) -> Verdict:
    if not decided:
        return "undecided"
    return "supported" if evidence.opposite < evidence.claim else "contradicted"
