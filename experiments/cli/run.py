"""`ssdpipe run`: an experiment, from data to its table and report.

Tested in tests/experiments/cli/test_run.py.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from experiments.cli.requests import ExperimentRequest
from experiments.cli.requests.until_decided import UntilDecidedOptions
from experiments.cli.shared.budget import Budget
from experiments.cli.shared.options import RunOptions

if TYPE_CHECKING:
    from pipeline.store.store import Store


def run(
    request: ExperimentRequest,
    running: RunOptions,
    deciding: UntilDecidedOptions,
) -> None:
    """Run an experiment: its table, its report, its verdicts.

    Cached stages do not run again; after a failure or Ctrl-C, the same command resumes where it stopped. With
    --until-decided, rows get seeds, one after another, as long as claims on them are undecided.
    """
    from experiments.cli.requests.running import ui_command

    if limit := deciding.limit(request.seeds):
        _run_until_decided(replace(request, until_decided=limit), running, Budget.of(deciding.budget))
    else:
        store, run_id = _run(request, running)
        _print_results(request, store, run_id=run_id)
    if running.mlflow:
        print(f"runs:   {ui_command(running)}")


def _run(request: ExperimentRequest, running: RunOptions) -> tuple[Store, str]:
    """The store and the run's id in MLflow, if any; after a failure, the results that exist are printed."""
    from experiments.cli.requests.running import run_request
    from pipeline.errors import StageFailed
    from pipeline.store.store import Store

    try:
        _, store, result = run_request(request, running)
    except StageFailed:
        _print_results(request, Store.open(running.store))
        raise
    return store, result.run_id if running.mlflow else ""


def _run_until_decided(request: ExperimentRequest, running: RunOptions, budget: Budget) -> None:
    from experiments.cli.claims.cases import replayed
    from experiments.cli.claims.until_decided import add_seeds, allocated
    from pipeline.store.store import Store

    store, run_ids = Store.open(running.store), [""]
    add_seeds(request, store, running, budget, lambda step: run_ids.append(_run(step, running)[1]))
    _print_results(allocated(request, replayed(request, store)), store, run_id=run_ids[-1])


def _print_results(request: ExperimentRequest, store: Store, *, run_id: str = "") -> None:
    """Print the table of each experiment, as far as it is computed, the path of its report, and the verdicts."""
    from experiments.cli.claims.command import judged_page
    from experiments.cli.report import refresh
    from experiments.cli.shared.table_text import table_text
    from experiments.framework.comparison import StoredExperiment
    from stages.placement import Placement

    for member in request.members():
        stored = StoredExperiment.of([member.target(Placement())], store)
        print(table_text(stored, member.settings or ()))
        print(f"report: {refresh(member, store, run_id=run_id)}", flush=True)
    if (page := judged_page(request, store)).judged:
        print("\n".join(page.lines()), flush=True)
