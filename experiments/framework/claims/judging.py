"""Claims judged by the results in a store: direction and size apart, corrected over the claims of a page.

The paper's size is supported if the effect is shown to be at least half and at most one and a half times as large, or
within a point of it, and contradicted if it is shown to lie outside that range.

Tested in tests/experiments/framework/claims/test_judging.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from experiments.framework.claims.claim import Claim, Quantity
from experiments.framework.claims.measuring import Measured, assumed, estimated, measured, published
from experiments.framework.comparison import StoredExperiment
from ssd_core.metrics.estimate import Estimate
from ssd_core.metrics.power import seeds_needed
from ssd_core.metrics.verdict import LEVEL, Evidence, Verdict, all_above, verdicts, within
from stages.tables.layout import LEVELS_COMPARE
from stages.tables.table import Table

NOT_RUN = "not run"
"""The reason why a claim is not tested that a run removes."""

LEAST_MARGIN = 0.01
"""Of a size: a point of accuracy, or about 1 % of a ratio."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a store shows of one claim, before it is judged among others. Ratios are logarithms."""

    claim: Claim
    experiment: str
    estimates: tuple[Estimate, ...] = ()
    """One for each contrast; empty if not tested."""

    published: float | None = None
    """The paper's value of the contrast or, for an order, of its weakest step."""

    target: float | None = None
    """The effect to find: the margin, or the paper's effect; None if it prints none."""

    needs: int | None = None
    """Number of seeds that find it with 80 % probability; None if there is none to find, or no number suffices."""

    reason: str = ""
    """Why it is not tested."""

    @property
    def is_ratio(self) -> bool:
        return self.claim.statistic.contrasts()[0].logarithmic

    @property
    def effect(self) -> Estimate | None:
        """The estimate of the first contrast or, for an order, of its weakest step."""
        return min(self.estimates, key=lambda each: each.value, default=None)

    def evidence(self) -> Evidence:
        margin = self.claim.within
        return all_above(self.estimates) if margin is None else within(self.estimates[0], -margin, margin)

    def size_evidence(self) -> Evidence | None:
        """None where the paper has no size, or the claim is that there is no difference."""
        margin = self.size_margin
        if margin is None or self.published is None:
            return None
        return within(self.estimates[0], self.published - margin, self.published + margin)

    @property
    def size_margin(self) -> float | None:
        """How far an effect of the paper's size may be from the paper's; None if the size is not judged."""
        if not self.claim.statistic.has_size or self.claim.within is not None or self.published is None:
            return None
        return max(abs(self.published) / 2, LEAST_MARGIN)


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A finding with its verdicts."""

    finding: Finding
    verdict: Verdict
    size: Verdict | None = None
    """Whether the effect is as large as the paper's; None if that is not judged."""

    note: str = ""
    """Why a claim is undecided although seeds were added to its rows."""

    to_find: float | None = None
    """The effect that the looks were planned for, if the claim was given up."""


def findings(
    experiment: str,
    claims: Sequence[Claim],
    stored: StoredExperiment,
    *,
    among: int,
    own_data: bool = False,
    resample: bool = True,
) -> list[Finding]:
    """What the store shows of an experiment's claims, of which `among` are judged together.

    Levels are not compared with the paper's on other images than the paper's, `own_data`. Without `resample`, which
    takes seconds for each result, the error over images is the assumed one.
    """
    quantities = {quantity for claim in claims for quantity in claim.quantities()}
    numbers = measured(stored, quantities, resample=resample)
    found = [finding(experiment, claim, numbers, among=among) for claim in claims]
    comparable = levels_compare(stored.table, own_data=own_data)
    return [each if comparable else _without_levels(each) for each in found]


def levels_compare(table: Table, *, own_data: bool) -> bool:
    """Whether numbers of the table compare with the paper's, rather than only with one another."""
    return table.preset in LEVELS_COMPARE and not own_data


def _without_levels(found: Finding) -> Finding:
    reason = "levels are not comparable with the paper's"
    return replace(found, estimates=(), reason=reason) if found.claim.statistic.compares_levels else found


def judge(found: Iterable[Finding]) -> list[Judged]:
    """Verdicts in the given order, by Holm's correction over the claims that are tested; sizes are corrected apart."""
    found = list(found)
    tested = [each for each in found if each.estimates]
    decided = dict(zip(map(id, tested), verdicts([each.evidence() for each in tested]), strict=True))
    with_size = [(each, evidence) for each in tested if (evidence := each.size_evidence())]
    sizes = dict(zip((id(each) for each, _ in with_size), verdicts([size for _, size in with_size]), strict=True))
    return [
        Judged(finding=each, verdict=decided.get(id(each), "not tested"), size=sizes.get(id(each))) for each in found
    ]


def finding(experiment: str, claim: Claim, numbers: Mapping[Quantity, Measured], *, among: int) -> Finding:
    """What the numbers show of a claim, of which `among` are judged together."""
    contrasts = claim.statistic.contrasts()
    estimates = [estimated(each, numbers) for each in contrasts]
    known = tuple(each for each in estimates if each)
    is_tested = len(known) == len(contrasts)
    printed = [value for each in contrasts if (value := published(each, numbers)) is not None]
    effect = claim.within or min((abs(value) for value in printed), default=None)
    spread, images = assumed(contrasts[0], numbers)
    if known and known[0].seeds > 1:
        spread, images = known[0].spread, known[0].image_error
    level, equivalence = LEVEL / max(among, 1), claim.within is not None
    needs = seeds_needed(effect, spread, image_error=images, equivalence=equivalence, level=level) if effect else None
    return Finding(
        claim=claim,
        experiment=experiment,
        estimates=known if is_tested else (),
        published=min(printed) if len(printed) == len(contrasts) else None,
        target=effect,
        needs=needs,
        reason="" if is_tested else NOT_RUN,
    )
