"""The verdicts of a bundle: written by `bundle`, and again by `verify`.

Tested in tests/experiments/cli/bundles/test_verify.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from experiments.framework.bundles.index import ClaimsEntry, Looks
    from experiments.framework.claims.claim import Claim
    from experiments.framework.claims.judging import Finding, Judged
    from experiments.framework.comparison import StoredExperiment


def verdicts(experiment: str, claims: Sequence[Claim], entry: ClaimsEntry, stored: StoredExperiment) -> dict[str, Any]:
    """The page of verdicts as JSON."""
    from experiments.cli.claims.verdict_text import Page
    from experiments.framework.claims.judging import findings, judge

    found = findings(experiment, claims, stored, among=len(claims), own_data=entry.own_data)
    page = Page(
        judged=_by_looks(experiment, found, entry, stored, entry.looks) if entry.looks else judge(found),
        preset=stored.table.preset,
        images=entry.images,
        options=entry.options,
        until_decided=bool(entry.looks),
    )
    return page.to_json()


def _by_looks(
    experiment: str, found: Sequence[Finding], entry: ClaimsEntry, stored: StoredExperiment, looks: Looks
) -> list[Judged]:
    """Verdicts of the rule by which the run added seeds."""
    from experiments.cli.claims.cases import cases, in_order, is_testable
    from experiments.framework.claims.course import course

    claims = [each.claim for each in found]
    tested = [claim for claim in claims if is_testable(claim, stored.table, own_data=entry.own_data)]
    with_numbers = cases(experiment, tested, stored, among=len(tested), most=looks.most_seeds)
    now = course(list(with_numbers), first=looks.first, most_seeds=looks.most_seeds)
    return in_order([(experiment, claim.sentence) for claim in claims], now, found)
