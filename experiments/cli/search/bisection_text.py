"""A bisection as text and JSON: the settings, each comparison, and what they show.

Tested in tests/experiments/cli/search/test_bisect.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from experiments.cli.requests.bisection import label_of
from experiments.cli.search.rounds import Rounds
from experiments.cli.shared.printing import wrapped
from experiments.framework.search.bisecting import NOTHING, Bisection, Combination, Comparison, Conclusion
from experiments.framework.search.sides import Pair
from ssd_core.metrics.estimate import Estimate


def settings_lines(pair: Pair, a: str, b: str) -> list[str]:
    """A, B and the numbered settings that differ."""
    count = len(pair.settings)
    return [
        f"A  {a}",
        f"B  {b}",
        f"they differ in {count} setting{'s' if count > 1 else ''}:",
        *(wrapped(setting.text, f"  {number}  ") for number, setting in enumerate(pair.settings, 1)),
    ]


@dataclass
class Story:
    """A search from its settings to what was found, or to the end of its budget."""

    pair: Pair
    a: str
    b: str
    metric: str
    search: Bisection
    rounds: Rounds
    found: Conclusion | None = None
    stopped: str = ""
    """Why it ended without a conclusion."""

    _ends: list[str] = field(default_factory=list)

    def head(self) -> list[str]:
        return settings_lines(self.pair, self.a, self.b)

    def looks(self) -> list[str]:
        """A line on the ends once they are decided, and one for each comparison."""
        if not self._ends and (self.search.comparisons or self.found):
            self._ends = [self._ends_line()]
        lines = [self._comparison(number, each) for number, each in enumerate(self.search.comparisons.values(), 1)]
        return [*self._ends, *lines]

    def conclusion(self) -> list[str]:
        if self.found is None:
            return [f"stopped: {self.stopped}"]
        count = len(self.search.comparisons)
        spent = (
            f"{count} combination{'' if count == 1 else 's'} between A and B; {self.rounds.trained} trainings run now"
        )
        return [*(wrapped(line, "") for line in self._sentences(self.found)), spent]

    def _sentences(self, found: Conclusion) -> Iterable[str]:
        names = [self.pair.settings[place].name for place in found.settings]
        if found.kind == "none":
            yield (
                f"no difference in {self.metric} is shown: B minus A is {_shown(found.difference)} with "
                f"{found.difference.seeds} seeds; --max-seeds sets more"
            )
            return
        if found.kind == "several":
            yield (
                f"undecided: neither part of {_listed(names)} is shown to make more than half of the difference. "
                "Several of them may matter; a larger --max-seeds decides closer cases"
            )
            return
        if found.kind == "one":
            yield f"{names[0]} makes the difference: B's value in A changes {self.metric} by {self._effect(found)}"
        else:
            yield f"{_listed(names)} make the difference only together: by {self._effect(found)}"
            yield from (f"  {name} alone: {_shown(each)}" for name, each in zip(names, found.alone, strict=True))
        if found.rest:
            yield f"the other {len(self.pair.settings) - len(names)} together: {_shown(found.rest)}"

    def _effect(self, found: Conclusion) -> str:
        effect = found.effect or found.difference
        return f"{_shown(effect)}, of {_shown(found.difference)}"

    def _ends_line(self) -> str:
        whole = frozenset(range(len(self.pair.settings)))
        parts = [f"{label} {self._mean(each)}" for label, each in (("A", NOTHING), ("B", whole))]
        return f"{self.metric}: {', '.join(parts)}"

    def _comparison(self, number: int, each: Comparison) -> str:
        nearer = "undecided" if each.side == "undecided" else f"nearer {each.side}"
        label = label_of(tuple(each.combination), len(self.pair.settings))
        return f"comparison {number}: {label} {self._mean(each.combination)}: {nearer}"

    def _mean(self, combination: Combination) -> str:
        scores = self.search.scores[combination]
        return f"{100 * scores.mean:.1f} over {len(scores.values)} seeds"

    def to_json(self) -> dict[str, Any]:
        found = self.found
        return {
            "a": self.a,
            "b": self.b,
            "metric": self.metric,
            "settings": [{"name": each.name, "change": each.text} for each in self.pair.settings],
            "comparisons": [
                {
                    "from_b": sorted(place + 1 for place in each.combination),
                    "score": each.score,
                    "seeds": each.seeds,
                    "beyond_middle": each.beyond_middle.value,
                    "interval": each.beyond_middle.interval(),
                    "nearer": each.side,
                }
                for each in self.search.comparisons.values()
            ],
            "trainings_run": self.rounds.trained,
            "stopped": self.stopped or None,
            "conclusion": found.kind if found else None,
            "found": [self.pair.settings[place].name for place in found.settings] if found else [],
            "difference": _entry(found.difference) if found else None,
            "effect": _entry(found.effect) if found and found.effect else None,
            "rest": _entry(found.rest) if found and found.rest else None,
            "alone": [_entry(each) for each in found.alone] if found else [],
        }


def _shown(estimate: Estimate) -> str:
    """An effect in points with its 95 % interval."""
    low, high = estimate.interval()
    return f"{100 * estimate.value:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]"


def _entry(estimate: Estimate) -> dict[str, Any]:
    return {"value": estimate.value, "interval": estimate.interval(), "seeds": estimate.seeds}


def _listed(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
