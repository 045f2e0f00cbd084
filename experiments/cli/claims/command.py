"""`ssdpipe claims`: the paper's sentences, and your own, judged by the results in the store.

Tested in tests/experiments/cli/claims/test_claims.py.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from experiments.cli.requests import ExperimentRequest
from experiments.cli.requests.until_decided import UntilDecided
from experiments.cli.shared.options import JsonOption, StorePlace

if TYPE_CHECKING:
    from experiments.cli.claims.power_text import PlannedPower
    from experiments.cli.claims.verdict_text import Page
    from experiments.framework.claims.claim import Claim
    from experiments.framework.claims.judging import Finding
    from pipeline.planning.plan import PlanRow
    from pipeline.store.store import Store
    from stages.placement import Placement


def claims(request: ExperimentRequest, place: StorePlace, as_json: JsonOption = False) -> None:
    """Judge claims of the paper, or of your own file, by the results.

    The verdicts follow from intervals over seeds and test images, with Holm's correction over the claims of a page: at
    most 5 % of pages have a false one. Each has its numbers, and the command that would test or settle it.
    Without a name, all experiments of the paper; without options, those of the last run; --seeds is the number that
    was run, unless given.
    """
    from pipeline.store.store import Store

    store = Store.open(place.store)
    page = judged_page(_meant(request, store), store)
    print(json.dumps(page.to_json(), indent=1) if as_json else "\n".join(page.lines()))


def judged_page(request: ExperimentRequest, store: Store) -> Page:
    """The claims of the requested experiments, judged together."""
    from experiments.cli.claims.cases import in_order, replayed
    from experiments.cli.claims.verdict_text import Page
    from experiments.framework.claims.judging import judge

    request = _as_run(request, store)
    loaded = [(member, _claims(member)) for member in request.members()]
    among = sum(len(stated) for _, stated in loaded)
    now = replayed(request, store) if request.until_decided else None
    looked = now.judged if now else {}
    found = [
        each
        for member, stated in loaded
        if (left := tuple(claim for claim in stated if (member.experiment, claim.sentence) not in looked))
        for each in _findings(replace(member, column="", until_decided=None), left, store, among)
    ]
    named = [(member.experiment, claim.sentence) for member, stated in loaded for claim in stated]
    return Page(
        judged=in_order(named, now, found) if now else judge(found),
        preset=request.preset,
        images=images_of(request),
        options=options_of(request),
        until_decided=bool(looked),
    )


def _meant(request: ExperimentRequest, store: Store) -> ExperimentRequest:
    """The request, completed by the options of the last run, of the experiment or else of any, if none are given."""
    from experiments.cli.requests.recorded import resolve_request

    named = request.experiment or "all"
    if request != ExperimentRequest(experiment=request.experiment):
        return replace(request, experiment=named)
    resolved = resolve_request(request, store) if request.experiment else next(_recorded(store), request)
    return replace(resolved if isinstance(resolved, ExperimentRequest) else request, experiment=named)


def _claims(member: ExperimentRequest) -> tuple[Claim, ...]:
    from experiments.framework.loading import claims_of, load_experiment

    return claims_of(load_experiment(member.experiment))


def _findings(member: ExperimentRequest, stated: tuple[Claim, ...], store: Store, among: int) -> list[Finding]:
    """Those of one experiment; none is tested where it cannot be run on the user's data."""
    from experiments.framework.claims.claim import Recorded
    from experiments.framework.claims.judging import Finding, findings
    from experiments.framework.comparison import StoredExperiment
    from pipeline.errors import PipelineError
    from stages.placement import Placement

    quantities = [each for claim in stated for contrast in claim.statistic.contrasts() for each in contrast.weights]
    needs_figures = any(isinstance(each, Recorded) for each in quantities)
    try:
        targets = member.targets(Placement()) if needs_figures else (member.target(Placement()),)
    except PipelineError as error:
        if not member.data:
            raise
        return [Finding(claim=claim, experiment=member.experiment, reason=str(error).split(":")[0]) for claim in stated]
    stored = StoredExperiment.of(targets, store, missing_allowed=True)
    return findings(member.experiment, stated, stored, among=among, own_data=bool(member.data))


def _as_run(request: ExperimentRequest, store: Store) -> ExperimentRequest:
    """The request with the largest number of seeds in the store's runs with these options.

    If one of them added seeds until its claims were decided, so does the request: the newest one, with as many seeds
    at most as any run has.
    """
    runs = _runs(request, store)
    most = max([request.seeds, *(run.seeds for run in runs)])
    newest = next((run for run in (request, *runs) if run.until_decided), None)
    if newest is None or newest.until_decided is None:
        return replace(request, seeds=most, column="")
    limit = max(most, *(run.until_decided.max_seeds for run in (newest, *runs) if run.until_decided))
    limit = newest.until_decided.max_seeds if newest is request else limit
    return replace(request, seeds=newest.seeds, column=newest.column, until_decided=UntilDecided(max_seeds=limit))


def _runs(request: ExperimentRequest, store: Store) -> list[ExperimentRequest]:
    """The store's runs of these experiments with these options, whatever their seeds; newest first."""
    from experiments.cli.requests.recorded import settings_of

    wanted, names = _without_seeds(settings_of(request)), _names(request)
    runs = (run for run in _recorded(store) if _without_seeds(settings_of(run)) == wanted)
    return [run for run in runs if names & _names(run)]


def _names(request: ExperimentRequest) -> set[str]:
    """The experiments of a request; a user's file by its absolute path."""
    return {member.to_json()["experiment"] for member in request.members()}


def _recorded(store: Store) -> Iterator[ExperimentRequest]:
    """The store's runs of experiments, newest first."""
    from experiments.cli.requests import request_from
    from pipeline.errors import PipelineError
    from pipeline.store.lookup import recorded_requests

    for recorded, _ in recorded_requests(store):
        try:
            run = request_from(recorded)
        except PipelineError:
            continue  # of another version
        if isinstance(run, ExperimentRequest):
            yield run


def _without_seeds(request: ExperimentRequest) -> ExperimentRequest:
    return replace(request, seeds=1, column="", until_decided=None)


def planned_power(
    request: ExperimentRequest, rows: Sequence[PlanRow], store: Store, placement: Placement
) -> PlannedPower | None:
    """What the seeds of a planned request can show; None where it tests no claim."""
    from experiments.cli.claims.power_text import PlannedPower
    from experiments.framework.claims.judging import findings
    from experiments.framework.claims.measuring import is_within
    from experiments.framework.claims.power import power
    from experiments.framework.comparison import StoredExperiment

    loaded = [(member.target(placement), _claims(member)) for member in request.members()]
    within = [(table, [claim for claim in stated if is_within(table, claim)]) for table, stated in loaded]
    among = sum(len(stated) for _, stated in within)
    planned = [
        (stated, StoredExperiment(table=table, rows=tuple(rows), store=store)) for table, stated in within if stated
    ]
    found = [
        each
        for stated, stored in planned
        for each in findings(stored.table.variant, stated, stored, among=among, resample=False)
    ]
    first = next((stored for _, stored in planned), None)
    seeds = request.until_decided.max_seeds if request.until_decided else request.seeds
    return PlannedPower(power=power(first, seeds), findings=found) if first else None


def images_of(request: ExperimentRequest) -> str:
    """On which images a request trains and tests, for the page of verdicts."""
    from experiments.cli.claims.verdict_text import PAPERS_IMAGES
    from pipeline.redaction import redacted

    published = PAPERS_IMAGES if request.preset in ("full", "short") else "drawn images"
    return redacted(request.data) or published


def options_of(request: ExperimentRequest) -> str:
    """The options of the command that would add results, without --seeds, after a space."""
    from experiments.cli.requests.recorded import typed_options

    words = typed_options(_without_seeds(request))
    return f" {shlex.join(words)}" if words else ""
