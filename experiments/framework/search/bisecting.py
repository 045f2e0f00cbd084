"""Which of several settings makes the difference between two trainings: the logic, without trainings.

A combination takes some settings from B and the others from A. The settings have an order, in which one after another
is taken from B. Somewhere on the way from A to B the score crosses the middle between the two; halving finds the
setting at which it does. That setting is then tried alone on A. If it does not make the difference alone, those before
it are halved again for what it needs beside it.

Each question is repeated with more seeds until its interval excludes zero. Halving only leads the way, by intervals
of 95 %. What is concluded rests on few questions, which share an error of 5 %: that A and B differ, that the settings
found are beyond the middle on A, and that none of several is so alone. Of a question's share, the last look has half,
the one before it a quarter, and so on.

Tested in tests/experiments/framework/search/test_bisecting.py.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from math import ceil, log2
from typing import Literal

from experiments.framework.search.evidence import Assumed, Scores, effect, spread_of
from ssd_core.metrics.estimate import Estimate

ERROR = 0.05
"""Probability that any of the questions behind a conclusion is answered wrongly, and of the interval of each other."""

QUESTIONS = 4
"""Number of questions behind a conclusion about a pair of settings."""

Combination = frozenset[int]
"""Places of the settings that are taken from B."""

Side = Literal["A", "B", "undecided"]
Kind = Literal["one", "together", "several", "none"]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """How many trainings a question may take."""

    seeds: int = 2
    """Seeds of the first look."""

    most_seeds: int = 8
    assumed: Assumed

    def looks(self) -> dict[int, float]:
        """{number of seeds at which a question is judged: share of its probability of error}."""
        looks, seeds = [], self.seeds
        while seeds < self.most_seeds:
            looks.append(seeds)
            seeds += max(1, seeds // 3)
        looks.append(self.most_seeds)
        return {seeds: 0.5 ** (len(looks) - place) for place, seeds in enumerate(looks)}


@dataclass(frozen=True, kw_only=True)
class Need:
    """The scores that are needed next: how many seeds of each combination."""

    seeds: Mapping[Combination, int]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A combination between A and B, and to which of them its score is nearer."""

    combination: Combination
    score: float
    seeds: int
    beyond_middle: Estimate
    """Its score beyond the middle of A and B, towards B."""

    side: Side


@dataclass(frozen=True, kw_only=True)
class Conclusion:
    """What the comparisons show."""

    kind: Kind
    """one: it makes the difference alone. together: these do, and none of them alone. several: the difference is not
    shown to be made by a part of them. none: there is no difference to explain."""

    settings: tuple[int, ...]
    difference: Estimate
    """B minus A."""

    effect: Estimate | None = None
    """These settings from B, minus A."""

    rest: Estimate | None = None
    """B minus these settings from B."""

    alone: tuple[Estimate, ...] = ()
    """For several settings that matter together: each alone, minus A."""

    comparisons: tuple[Comparison, ...] = ()


Search = Generator[Need, Mapping[Combination, Scores], Conclusion]
NOTHING: Combination = frozenset()


def most_comparisons(count: int) -> int:
    """Number of combinations between A and B that finding one of `count` settings takes at most."""
    return ceil(log2(count)) + (count > 1)


@dataclass
class Bisection:
    """One search; `run` asks for scores and returns what they show."""

    count: int
    """Number of settings that differ."""

    rule: Rule
    scores: dict[Combination, Scores] = field(default_factory=dict)
    comparisons: dict[Combination, Comparison] = field(default_factory=dict)

    @property
    def _whole(self) -> Combination:
        return frozenset(range(self.count))

    def run(self) -> Search:
        if not (yield from self._do_ends_differ()):
            return self._concluded("none", ())
        needed, before = NOTHING, list(range(self.count))
        while True:
            low, high = 0, len(before)
            while high - low > 1:
                middle = (low + high + 1) // 2
                side = yield from self._side(needed | set(before[:middle]))
                if side == "undecided":
                    return self._concluded("several", (*sorted(needed), *before[low:high]))
                low, high = (low, middle) if side == "B" else (middle, high)
            needed, before = needed | {before[low]}, before[:low]
            side = yield from self._side(needed, is_final=True)
            if side == "undecided" or (side == "A" and not before):
                return self._concluded("several", tuple(sorted(needed)))
            if side == "B":
                return (yield from self._necessary(needed))

    def _necessary(self, needed: Combination) -> Search:
        """The conclusion about settings that make the difference: whether one of them does alone."""
        settings = tuple(sorted(needed))
        for each in settings if len(settings) > 1 else ():
            side = yield from self._side(frozenset({each}), is_final=True)
            if side == "B":
                return self._concluded("one", (each,))
            if side == "undecided":
                return self._concluded("several", settings)
        return self._concluded("one" if len(settings) == 1 else "together", settings)

    def _do_ends_differ(self) -> Generator[Need, Mapping[Combination, Scores], bool]:
        for seeds, share in self.rule.looks().items():
            self.scores |= yield Need(seeds={NOTHING: seeds, self._whole: seeds})
            if _excludes_zero(self._effect({self._whole: 1, NOTHING: -1}), ERROR / QUESTIONS * share):
                return True
        return False

    def _side(
        self, combination: Combination, *, is_final: bool = False
    ) -> Generator[Need, Mapping[Combination, Scores], Side]:
        """To which end a combination is nearer; a conclusion rests on a final answer."""
        sign = 1 if self.scores[self._whole].mean > self.scores[NOTHING].mean else -1
        side: Side = "undecided"
        for seeds, share in self.rule.looks().items():
            if combination == self._whole:
                side = "B"
                break
            self.scores |= yield Need(seeds={**self._ends_behind(ceil(seeds / 2)), combination: seeds})
            beyond = self._effect({combination: sign, NOTHING: -sign / 2, self._whole: -sign / 2})
            error = 2 * share * ERROR / QUESTIONS if is_final else ERROR  # wrong is one of two sides
            if _excludes_zero(beyond, error):
                side = "B" if beyond.value > 0 else "A"
                break
        if combination != self._whole:
            self.comparisons[combination] = Comparison(
                combination=combination, score=self.scores[combination].mean,
                seeds=len(self.scores[combination].values), beyond_middle=beyond, side=side,
            )  # fmt: skip
        return side

    def _ends_behind(self, seeds: int) -> dict[Combination, int]:
        """The ends that have fewer seeds: their errors count by half in the middle between them."""
        ends = (NOTHING, self._whole)
        return {each: seeds for each in ends if len(self.scores[each].values) < seeds}

    def _effect(self, weights: Mapping[Combination, float]) -> Estimate:
        spread = spread_of(self.scores.values(), self.rule.assumed.seeds)
        return effect(weights, self.scores, spread, self.rule.assumed)

    def _concluded(self, kind: Kind, settings: tuple[int, ...]) -> Conclusion:
        whole, chosen = self._whole, frozenset(settings)
        is_measured = chosen in self.scores and kind in ("one", "together")
        return Conclusion(
            kind=kind,
            settings=settings,
            difference=self._effect({whole: 1, NOTHING: -1}),
            effect=self._effect({chosen: 1, NOTHING: -1}) if is_measured else None,
            rest=self._effect({whole: 1, chosen: -1}) if is_measured and chosen != whole else None,
            alone=tuple(self._effect({frozenset({each}): 1, NOTHING: -1}) for each in settings)
            if kind == "together"
            else (),
            comparisons=tuple(self.comparisons.values()),
        )


def _excludes_zero(estimate: Estimate, error: float) -> bool:
    low, high = estimate.interval(1 - error)
    return low > 0 or high < 0
