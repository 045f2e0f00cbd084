"""Successive halving: all trials train for a while, the better half continues, and so on.

Tested in tests/experiments/framework/search/test_halving.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from experiments.framework.search.evidence import Assumed, Scores, effect, spread_of
from ssd_core.metrics.estimate import Estimate


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """A trial in the ranking of a search."""

    trial: int
    rung: int
    """Last rung that it trained for."""

    score: Estimate
    """Mean over the seeds, with its errors."""

    behind: Estimate | None = None
    """Its score minus that of the best trial of the rung; None for that one."""

    @property
    def is_shown_worse(self) -> bool:
        """Whether the interval of the difference lies below zero."""
        return self.behind is not None and self.behind.interval()[1] < 0


def ends_of_rungs(iterations: int, rungs: int) -> tuple[int, ...]:
    """The iteration at which each rung ends: each but the first takes as long as all before it together."""
    ends = [round(iterations / 2 ** (rungs - 1 - rung)) for rung in range(rungs)]
    return tuple(dict.fromkeys(max(1, end) for end in ends))


def continuing(scores: Mapping[int, Scores]) -> tuple[int, ...]:
    """Trials that continue to the next rung: the better half by mean score, rounded up; the first ones on a tie."""
    ordered = sorted(scores, key=lambda trial: (-scores[trial].mean, trial))
    return tuple(sorted(ordered[: (len(ordered) + 1) // 2]))


def ranking(rungs: Iterable[Mapping[int, Scores]], assumed: Assumed) -> list[Ranked]:
    """All trials, those of later rungs first, then by score; compared with the best one of their rung."""
    ranked: dict[int, Ranked] = {}
    for rung, scores in reversed(list(enumerate(rungs))):
        spread = spread_of(scores.values(), assumed.seeds)
        ordered = sorted(scores, key=lambda trial: (-scores[trial].mean, trial))
        for trial in (trial for trial in ordered if trial not in ranked):
            best = ordered[0]
            ranked[trial] = Ranked(
                trial=trial,
                rung=rung,
                score=effect({trial: 1}, scores, spread, assumed),
                behind=effect({trial: 1, best: -1}, scores, spread, assumed) if trial != best else None,
            )
    return list(ranked.values())
