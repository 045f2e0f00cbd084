"""The verdicts of a bundle: written by `bundle`, and again by `verify`.

Tested in tests/experiments/cli/bundles/test_verify.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from experiments.framework.bundles.index import ClaimsEntry
    from experiments.framework.claims.claim import Claim
    from experiments.framework.comparison import StoredExperiment


def verdicts(experiment: str, claims: Sequence[Claim], entry: ClaimsEntry, stored: StoredExperiment) -> dict[str, Any]:
    """The page of verdicts as JSON."""
    from experiments.cli.claims.verdict_text import Page
    from experiments.framework.claims.judging import findings, judge

    found = findings(experiment, claims, stored, among=len(claims), own_data=entry.own_data)
    page = Page(judged=judge(found), preset=stored.table.preset, images=entry.images, options=entry.options)
    return page.to_json()
