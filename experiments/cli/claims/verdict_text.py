"""Verdicts as text for a terminal and a report, and as JSON: each says at which scale, and what would settle it.

Tested in tests/experiments/cli/claims/test_claims.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp
from typing import Any

from experiments.cli.shared.printing import wrapped
from experiments.framework.claims.judging import NOT_RUN, Finding, Judged
from ssd_core.metrics.power import MOST_SEEDS
from ssd_core.metrics.verdict import Verdict
from stages.reporting.content import Verdicts

SCALE = {
    "full": "the paper's detectors",
    "short": "the paper's detectors after a tenth of their schedules",
    "tiny": "small detectors",
    "narrow": "narrow detectors",
}
CAVEAT = "These verdicts hold at this scale; they say nothing for or against the paper's own trainings."
UNTIL_DECIDED = (
    "Seeds were added until claims were decided: the verdicts are those of the stopping rule, which asks for more than "
    "an interval that excludes zero."
)
MARKS: dict[Verdict, str] = {"supported": "+", "contradicted": "-", "undecided": "?", "not tested": " "}

PAPERS_IMAGES = "the paper's images"
DEFAULT_SEEDS = 3
"""Proposed where the paper prints no effect to find."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """The verdicts of one or several experiments at one preset, and the options that would run more."""

    judged: Sequence[Judged]
    preset: str
    images: str
    """On which images: the paper's, drawn ones, or a user's data set."""

    options: str
    """The options of the command that would add results, without --seeds."""

    until_decided: bool = False
    """Whether seeds were added until the claims were decided."""

    @property
    def scope(self) -> str:
        return f"at preset {self.preset}, {SCALE[self.preset]} on {self.images}"

    @property
    def caveat(self) -> str:
        scale = "" if self.preset == "full" and self.images == PAPERS_IMAGES else CAVEAT
        return f"{scale} {UNTIL_DECIDED}".strip() if self.until_decided else scale

    def lines(self) -> list[str]:
        """A headline, and for each claim its verdict, numbers and remedy; those that are not tested come last."""
        ordered = sorted(self.judged, key=lambda each: each.verdict == "not tested")
        caveat = [wrapped(self.caveat, "")] if self.caveat else []
        return [wrapped(self.headline(), ""), *caveat, *(line for each in ordered for line in self._claim(each))]

    def report(self) -> Verdicts | None:
        """The verdicts for a report page; None without a claim."""
        claims = tuple(
            (each.verdict, sentence(each), tuple(line for line in (numbers(each), self.remedy(each)) if line))
            for each in self.judged
        )
        return Verdicts(headline=f"{self.headline()}. {self.caveat}".rstrip(), claims=claims) if claims else None

    def headline(self) -> str:
        counts = Counter(each.verdict for each in self.judged)
        numbers = ", ".join(f"{counts[verdict]} {verdict}" for verdict in MARKS if counts[verdict])
        return f"Claims {self.scope}: {numbers or 'none'}"

    def _claim(self, judged: Judged) -> list[str]:
        head = f"{MARKS[judged.verdict]} {judged.verdict:12} "
        details = [numbers(judged), self.remedy(judged)]
        return [wrapped(sentence(judged), head), *(wrapped(each, " " * len(head)) for each in details if each)]

    def remedy(self, judged: Judged) -> str:
        """The command that would test or settle a claim; empty for one that is decided."""
        finding = judged.finding
        if judged.verdict in ("supported", "contradicted"):
            return ""
        if judged.note:
            return ending(judged)
        if finding.reason and finding.reason != NOT_RUN:
            return f"{finding.reason}; to test it: `ssdpipe run {finding.experiment}`"
        had, hopeless = _seeds(finding), finding.target is not None and finding.needs is None
        if had and hopeless:
            return f"{MOST_SEEDS} seeds would not settle it: it needs more test images, or less spread between seeds"
        seeds = max(finding.needs or DEFAULT_SEEDS, had + 1)
        run = f"`ssdpipe run {finding.experiment}{self.options}{f' --seeds {seeds}' if seeds > 1 else ''}`"
        note = f" ({MOST_SEEDS} seeds would not show so small an effect on these images)" if hopeless else ""
        return f"{'to settle it' if had else 'to test it'}: {run}{note}"

    def to_json(self) -> dict[str, Any]:
        return {"scope": self.scope, "caveat": self.caveat, "claims": [self._entry(each) for each in self.judged]}

    def _entry(self, judged: Judged) -> dict[str, Any]:
        finding, effect = judged.finding, judged.finding.effect
        interval = _natural(finding, *effect.interval()) if effect else None
        return {
            "claim": finding.claim.sentence,
            "section": finding.claim.section,
            "experiment": finding.experiment,
            "statistic": type(finding.claim.statistic).__name__,
            "scope": self.scope,
            "verdict": judged.verdict,
            "size": judged.size,
            "ours": _natural(finding, effect.value)[0] if effect else None,
            "interval": interval,
            "paper": _natural(finding, finding.published)[0] if finding.published is not None else None,
            "needs_seeds": finding.needs,
            "is_ratio": finding.is_ratio,
            "seeds": _seeds(finding),
            "assumes_spread": bool(effect and effect.is_assumed),
            "remedy": self.remedy(judged),
        }


def sentence(judged: Judged) -> str:
    claim = judged.finding.claim
    return f"{claim.sentence} ({claim.section})" if claim.section else claim.sentence


def numbers(judged: Judged) -> str:
    """Ours with its interval, the paper's, the size, and what was assumed."""
    finding, effect = judged.finding, judged.finding.effect
    parts = []
    if effect:
        low, high = effect.interval()
        parts.append(f"ours {shown(finding, effect.value)} [{shown(finding, low)}, {shown(finding, high)}]")
    if finding.published is not None:
        parts.append(f"paper {shown(finding, finding.published)}")
    if finding.claim.within is not None:
        parts.append(f"margin {shown(finding, finding.claim.within).lstrip('+')}")
    if judged.size:
        parts.append(f"the paper's size: {judged.size}")
    if effect:
        seeds = f"{effect.seeds} seed{'s' if effect.seeds > 1 else ''}"
        assumed = f", assuming it varies by {shown(finding, effect.spread.value).lstrip('+')} between seeds"
        parts.append(seeds + (assumed if effect.is_assumed else ""))
    return "; ".join(parts)


def ending(judged: Judged) -> str:
    """Why a claim is undecided although seeds were added, with the effect that was not found."""
    effect = "" if judged.to_find is None else f", {shown(judged.finding, judged.to_find).lstrip('+')}"
    return judged.note + effect


def _seeds(finding: Finding) -> int:
    return min((each.seeds for each in finding.estimates), default=0)


def _natural(finding: Finding, *values: float) -> list[float]:
    """Differences as fractions, ratios as ratios."""
    return [exp(value) if finding.is_ratio else value for value in values]


def shown(finding: Finding, value: float) -> str:
    """A difference in points, a ratio as a factor."""
    return f"x{exp(value):.2f}" if finding.is_ratio else f"{100 * value:+.1f}"
