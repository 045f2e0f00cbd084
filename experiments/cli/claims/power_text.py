"""What the seeds of a plan can show, as text and as JSON.

Tested in tests/experiments/cli/claims/test_claims.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from experiments.cli.claims.verdict_text import shown
from experiments.cli.shared.printing import wrapped
from experiments.framework.claims.judging import Finding
from experiments.framework.claims.power import Power
from ssd_core.metrics.power import MOST_SEEDS, POWER


@dataclass(frozen=True, kw_only=True)
class PlannedPower:
    """The change that is found, and the seeds that each claim needs."""

    power: Power
    findings: Sequence[Finding]

    def lines(self) -> list[str]:
        """A line on the seeds of the plan, and one for each claim, those that need the fewest first."""
        one = self.power
        seeds = f"{one.seeds} seed{'s' if one.seeds > 1 else ''}"
        head = (
            f"{seeds} a row would find a change of {100 * one.change:.1f} points between two rows with "
            f"{POWER:.0%} probability, as seeds differ by {100 * one.spread:.2g} points ({one.source})"
        )
        ordered = sorted(self.findings, key=lambda each: each.needs or MOST_SEEDS + 1)
        needs = [wrapped(f"{each.claim.sentence}{_effect(each)}", f"{_need(each):>17}: ") for each in ordered]
        return [
            wrapped(head, ""),
            wrapped("seeds that each claim needs for that probability, among the claims of this plan:", ""),
            *needs,
        ]

    def to_json(self) -> dict[str, Any]:
        claims = [{"claim": each.claim.sentence, "effect": each.target, "seeds": each.needs} for each in self.findings]
        return asdict(self.power) | {"probability": POWER, "claims": claims}


def _need(finding: Finding) -> str:
    if finding.target is None:
        return "unknown"
    return f"{finding.needs}" if finding.needs else f"more than {MOST_SEEDS}"


def _effect(finding: Finding) -> str:
    if finding.claim.within is not None:
        return f" (margin {shown(finding, finding.claim.within).lstrip('+')})"
    return (
        f" (paper {shown(finding, finding.published)})"
        if finding.published is not None
        else " (the paper prints no size)"
    )
