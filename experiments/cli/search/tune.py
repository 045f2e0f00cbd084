"""`ssdpipe tune`: which values of a recipe's settings are best on validation images.

Tested in tests/experiments/cli/search/test_tune.py.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import typer

from experiments.cli.requests.tuning import TuneOptions, TuneRequest
from experiments.cli.search.rounds import BudgetOption, DryRunOption, OutOfBudget, Rounds, show_plan
from experiments.cli.shared.options import JsonOption, RunOptions

if TYPE_CHECKING:
    from experiments.cli.search.ranking_text import Outcome
    from experiments.framework.search.evidence import Assumed, Scores
    from experiments.framework.setups import Setup


def tune(
    options: TuneOptions,
    running: RunOptions,
    budget: BudgetOption = "",
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Search a recipe's settings on validation images.

    Each trial takes values from the ranges of -s. At the end of each rung, the better half by mean score continues from
    its checkpoint. The ranking shows intervals over seeds and validation images, and which trials are not shown to be
    worse than the best. Trainings are cached: a repeated command resumes, and more --trials or --seeds add to a search.
    """
    request = TuneRequest(**vars(options))
    rounds = Rounds(running=running, budget=budget, gpus=options.gpus)
    if dry_run:
        show_plan(request, running, as_json=as_json)
        return
    outcome = search(request, rounds, quiet=as_json)
    print(json.dumps(outcome.to_json(), indent=1) if as_json else "\n".join(outcome.lines()))


def search(request: TuneRequest, rounds: Rounds, *, quiet: bool) -> Outcome:
    """Run the rungs of a search, as far as the budget goes. Raises StageFailed when no trial has a score."""
    from experiments.cli.search.ranking_text import Outcome
    from experiments.framework.search.halving import continuing, ends_of_rungs
    from pipeline.errors import StageFailed

    placement = request.placement()
    setup, drawn = request.setup(placement), request.drawn()
    metric = metric_of(setup)
    ends = ends_of_rungs(setup.recipe.schedule.iterations, request.rungs)
    outcome = Outcome(request=request, drawn=drawn, ends=ends, metric=metric, assumed=_assumed(setup, metric))
    entered: tuple[tuple[int, ...], ...] = (tuple(drawn),)
    while len(entered) <= len(ends):
        try:
            scores = _scores(replace(request, entered=entered), rounds, outcome)
        except OutOfBudget as error:
            outcome.stopped = str(error)
            break
        if not scores:
            if not outcome.rungs:
                raise StageFailed("a training of every trial failed, so that there is nothing to rank; see above")
            outcome.stopped = "a training of every trial failed"
            break
        outcome.rungs.append(scores)
        if not quiet and len(entered) < len(ends):
            typer.echo(outcome.rung_line(), err=True)
        entered = (*(_without(each, outcome.failed) for each in entered), continuing(scores))
    outcome.trained = rounds.trained
    return outcome


def _scores(request: TuneRequest, rounds: Rounds, outcome: Outcome) -> Mapping[int, Scores]:
    """Scores of the trials of the last rung; those of which a training failed are recorded and skipped."""
    from experiments.framework.search.evidence import read_scores

    placement = request.placement()
    evaluations = request.evaluations(len(request.entered) - 1, request.entered[-1], placement)
    targets = [stage for each in evaluations.values() for stage in each]
    found = rounds.results(request, targets, some_may_fail=True)
    scores = {}
    for trial, stages in evaluations.items():
        folders = {seed: found[stage] for seed, stage in enumerate(stages) if stage in found}
        if len(folders) < len(stages):
            outcome.failed.append(trial)
        else:
            scores[trial] = read_scores(outcome.metric, folders)
    return scores


def _without(trials: tuple[int, ...], failed: Sequence[int]) -> tuple[int, ...]:
    """Trials whose trainings did not fail: the next round would only try those again."""
    return tuple(trial for trial in trials if trial not in failed)


def metric_of(setup: Setup) -> str:
    from experiments.framework.experiment import METRICS

    return METRICS[setup.protocol]


def _assumed(setup: Setup, metric: str) -> Assumed:
    from experiments.framework.claims.assumptions import assumption
    from experiments.framework.search.evidence import Assumed

    known = assumption(setup.preset, metric)
    return Assumed(seeds=known.seeds, images=known.images)
