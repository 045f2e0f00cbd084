"""The claims of a request as cases of a course: those that its experiments test with seeds, and their stored numbers.

Tested in tests/experiments/cli/claims/test_until_decided.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from experiments.cli.requests import ExperimentRequest
from experiments.framework.claims.claim import At, Claim, Recorded
from experiments.framework.claims.course import Case, Course, course
from experiments.framework.claims.judging import levels_compare
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
    cases = [
        case for member, claims in members if claims for case in _cases(member, claims, store, among=among, most=most)
    ]
    return course(cases, first=first_look(request), most_seeds=most)


def first_look(request: ExperimentRequest) -> int:
    """Number of seeds of the first look: --seeds, but at least two."""
    assert request.until_decided
    return min(max(FIRST_LOOK, request.seeds), request.until_decided.max_seeds)


def _tested(member: ExperimentRequest) -> list[Claim]:
    """The claims whose rows can be trained and scored here."""
    table = member.target(member.placement())
    within = (claim for claim in claims_of(member.load()) if is_within(table, claim))
    return [claim for claim in within if _is_testable(claim, table, member)]


def _is_testable(claim: Claim, table: Table, member: ExperimentRequest) -> bool:
    if claim.statistic.compares_levels and not levels_compare(table, own_data=bool(member.data)):
        return False
    trained = {At(cell.row, cell.column): bool(cell.results) for cell in table.cells}
    return all(trained.get(each, True) for each in claim.quantities() if isinstance(each, At))


def _cases(
    member: ExperimentRequest, claims: Sequence[Claim], store: Store, *, among: int, most: int
) -> Iterator[Case]:
    quantities = {each for claim in claims for each in claim.quantities()}
    whole = replace(member, seeds=most, until_decided=None)
    placement = member.placement()
    needs_figures = any(isinstance(each, Recorded) for each in quantities)
    targets = whole.targets(placement) if needs_figures else (whole.target(placement),)
    numbers = measured(StoredExperiment.of(targets, store, missing_allowed=True), quantities)
    for claim in claims:
        own = {each: numbers[each] for each in numbers if each in claim.quantities()}
        yield Case(experiment=member.experiment, claim=claim, numbers=own, among=among, most_seeds=most)
