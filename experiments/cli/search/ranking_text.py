"""The ranking of a search as text and JSON.

Tested in tests/experiments/cli/search/test_tune.py.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from experiments.cli.requests.tuning import TuneRequest
from experiments.cli.shared.printing import columns, wrapped
from experiments.framework.search.evidence import Assumed, Scores
from experiments.framework.search.halving import Ranked, ranking
from pipeline.redaction import redacted_arguments
from ssd_core.metrics.estimate import Estimate


@dataclass
class Outcome:
    """What a search has found so far."""

    request: TuneRequest
    drawn: Mapping[int, Sequence[str]]
    """Settings of each trial."""

    ends: Sequence[int]
    """Iteration at which each rung ends."""

    metric: str
    assumed: Assumed
    rungs: list[Mapping[int, Scores]] = field(default_factory=list)
    failed: list[int] = field(default_factory=list)
    """Trials of which a training failed, such as one that diverged."""

    stopped: str = ""
    """Why the search ended before its last rung."""

    trained: int = 0

    def ranked(self) -> list[Ranked]:
        return ranking(self.rungs, self.assumed)

    def rung_line(self) -> str:
        """What happens at the end of a rung."""
        here, rung = len(self.rungs[-1]), len(self.rungs) - 1
        until = f"rung {rung + 1} of {len(self.ends)}, iteration {self.ends[rung]:,}"
        return f"{until}: {(here + 1) // 2} of {here} trials continue"

    def lines(self) -> Iterable[str]:
        ranked = self.ranked()
        if ranked:
            head = ("rank", "trial", "settings", "iterations", self.metric, "95 % interval", "to the best of its rung")
            yield columns([head, *(self._cells(rank, each) for rank, each in enumerate(ranked, 1))])
        for trial in self.failed:
            yield wrapped(
                f"{' '.join(self.drawn[trial])}: a training failed; see the message above", f"trial {trial}  "
            )
        if self.stopped:
            yield wrapped(f"stopped: {self.stopped}", "")
        if ranked:
            yield from (wrapped(line, "") for line in self._remarks(ranked))

    def _cells(self, rank: int, each: Ranked) -> tuple[str, ...]:
        low, high = each.score.interval()
        return (
            str(rank),
            str(each.trial),
            " ".join(self.drawn[each.trial]),
            f"{self.ends[each.rung]:,}",
            f"{100 * each.score.value:.1f}",
            f"[{100 * low:.1f}, {100 * high:.1f}]",
            _shown(each.behind) if each.behind else "",
        )

    def _remarks(self, ranked: Sequence[Ranked]) -> Iterable[str]:
        best, *others = ranked
        near = [str(each.trial) for each in others if each.rung == best.rung and not each.is_shown_worse]
        if len({each.rung for each in ranked}) > 1:
            yield "scores compare only at equal iterations: a stopped trial is compared with the best of its last rung"
        if near:
            yield f"not shown to be worse than trial {best.trial}: {', '.join(near)}"
        spread = "assumed" if self.request.seeds == 1 else "estimated from all trials of a rung together"
        yield f"intervals are over validation images and seeds, whose spread is {spread}"
        yield "the best of several is chosen by this score, which therefore overstates it"
        yield f"to train it on all training images and test it: {self.command(best.trial)}"

    def command(self, trial: int) -> str:
        """The command that trains a trial on the whole training split."""
        from experiments.framework.search.space import divided

        request = self.request
        fixed, _ = divided(request.settings or ())
        options = [word for setting in (*fixed, *self.drawn[trial]) for word in ("-s", setting)]
        for option in ("data", "layout", "train_split", "init"):
            if value := getattr(request, option):
                options += [f"--{option.replace('_', '-')}", value]
        options += ["--strict"] if request.strict else []
        return shlex.join(["ssdpipe", "train", request.recipe, *redacted_arguments(options)])

    def to_json(self) -> dict[str, Any]:
        ranked = self.ranked()
        return {
            "recipe": self.request.recipe,
            "metric": self.metric,
            "seeds": self.request.seeds,
            "rungs": list(self.ends),
            "ranking": [self._entry(each) for each in ranked],
            "failed": [{"trial": trial, "settings": list(self.drawn[trial])} for trial in self.failed],
            "trainings_run": self.trained,
            "stopped": self.stopped or None,
            "command": self.command(ranked[0].trial) if ranked else None,
        }

    def _entry(self, each: Ranked) -> dict[str, Any]:
        behind = {"value": each.behind.value, "interval": each.behind.interval()} if each.behind else None
        return {
            "trial": each.trial,
            "settings": list(self.drawn[each.trial]),
            "iterations": self.ends[each.rung],
            "mean": each.score.value,
            "interval": each.score.interval(),
            "by_seed": list(self.rungs[each.rung][each.trial].values.values()),
            "behind_the_best": behind,
            "is_shown_worse": each.is_shown_worse,
        }


def _shown(estimate: Estimate) -> str:
    low, high = estimate.interval()
    return f"{100 * estimate.value:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]"
