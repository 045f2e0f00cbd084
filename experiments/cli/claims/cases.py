"""The claims of a request as cases of a course: those that its experiments test with seeds, and their stored numbers.

Tested in tests/experiments/cli/claims/test_until_decided.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from experiments.cli.requests import ExperimentRequest
from experiments.framework.claims.claim import At, Claim, Quantity, Recorded
from experiments.framework.claims.course import Case, Course, course
from experiments.framework.claims.judging import Finding, Judged, levels_compare
from experiments.framework.claims.measuring import is_within, measured
from experiments.framework.comparison import StoredExperiment
from experiments.framework.loading import claims_of
from ssd_core.metrics.sequential import FIRST_LOOK

if TYPE_CHECKING:
    from pipeline.store.store import Store
    from stages.tables.table import Table


def replayed(request: ExperimentRequest, store: Store) -> Course:
    """All looks at the claims of a request with --until-decided that the store allows."""
    assert request.until_decided
    most = request.until_decided.max_seeds
    members = [(member, _tested(member)) for member in request.members()]
    among = sum(len(claims) for _, claims in members)
    found = [
        case
        for member, claims in members
        if claims
        for case in cases(member.experiment, claims, _stored(member, claims, store, most), among=among, most=most)
    ]
    return course(found, first=first_look(request), most_seeds=most)


def first_look(request: ExperimentRequest) -> int:
    """Number of seeds of the first look: --seeds, but at least two."""
    assert request.until_decided
    return min(max(FIRST_LOOK, request.seeds), request.until_decided.max_seeds)


def _tested(member: ExperimentRequest) -> list[Claim]:
    """The claims whose rows can be trained and scored here."""
    table = member.target(member.placement())
    within = (claim for claim in claims_of(member.load()) if is_within(table, claim))
    return [claim for claim in within if is_testable(claim, table, own_data=bool(member.data))]


def is_testable(claim: Claim, table: Table, *, own_data: bool) -> bool:
    """Whether the table has the rows of a claim, and levels if it needs them."""
    if claim.statistic.compares_levels and not levels_compare(table, own_data=own_data):
        return False
    trained = {At(cell.row, cell.column): bool(cell.results) for cell in table.cells}
    return all(trained.get(each, True) for each in claim.quantities() if isinstance(each, At))


def _stored(member: ExperimentRequest, claims: Sequence[Claim], store: Store, most: int) -> StoredExperiment:
    """The experiment with as many seeds of each row as a course can have."""
    whole, placement = replace(member, seeds=most, until_decided=None), member.placement()
    needs_figures = any(isinstance(each, Recorded) for each in _quantities(claims))
    targets = whole.targets(placement) if needs_figures else (whole.target(placement),)
    return StoredExperiment.of(targets, store, missing_allowed=True)


def cases(
    experiment: str, claims: Sequence[Claim], stored: StoredExperiment, *, among: int, most: int
) -> Iterator[Case]:
    """Claims with the numbers that an experiment has of them, of `among` claims that share the level."""
    numbers = measured(stored, _quantities(claims))
    for claim in claims:
        own = {each: numbers[each] for each in numbers if each in claim.quantities()}
        yield Case(experiment=experiment, claim=claim, numbers=own, among=among, most_seeds=most)


def _quantities(claims: Sequence[Claim]) -> set[Quantity]:
    return {each for claim in claims for each in claim.quantities()}


def in_order(named: Iterable[tuple[str, str]], now: Course, found: Iterable[Finding]) -> list[Judged]:
    """Verdicts of a course on claims, named by experiment and sentence; those without a look are undecided or not
    tested, as `found` shows them."""
    others = {
        (each.experiment, each.claim.sentence): Judged(
            finding=each, verdict="undecided" if each.estimates else "not tested"
        )
        for each in found
    }
    known = others | now.judged
    return [known[each] for each in named]
