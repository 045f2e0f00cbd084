"""`ssdpipe run`: an experiment, from data to its table and report.

Tested in tests/experiments/cli/test_run.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.cli.requests import ExperimentRequest
from experiments.cli.shared.options import RunOptions

if TYPE_CHECKING:
    from pipeline.store.store import Store


def run(request: ExperimentRequest, running: RunOptions) -> None:
    """Run an experiment: its table, its report, its verdicts.

    Cached stages do not run again; after a failure or Ctrl-C, the same command resumes where it stopped.
    """
    from experiments.cli.requests.running import run_request, ui_command
    from pipeline.errors import StageFailed
    from pipeline.store.store import Store

    try:
        _, store, result = run_request(request, running)
    except StageFailed:
        _print_results(request, Store.open(running.store))
        raise
    _print_results(request, store, run_id=result.run_id if running.mlflow else "")
    if running.mlflow:
        print(f"runs:   {ui_command(running)}")


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
