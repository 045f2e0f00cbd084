"""`ssdpipe run`: an experiment, from data to its table and its page.

Tested in tests/experiments/cli/test_run.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.cli.requests import ExperimentRequest
from experiments.cli.shared.options import Running

if TYPE_CHECKING:
    from pipeline.store.store import Store


def run(request: ExperimentRequest, running: Running) -> None:
    """Run an experiment, print its table, and write its report.

    What is cached is not run again; after a failure or Ctrl-C the same command goes on where it stopped.
    """
    from experiments.cli.requests.running import bring_to_end, ui_command
    from pipeline.errors import StageFailed
    from pipeline.store.store import Store

    try:
        _, store, result = bring_to_end(request, running)
    except StageFailed:
        _tell(request, Store.open(running.store))
        raise
    _tell(request, store, run_id=result.run_id if running.mlflow else "")
    if running.mlflow:
        print(f"runs:   {ui_command(running)}")


def _tell(request: ExperimentRequest, store: Store, *, run_id: str = "") -> None:
    """The table of each experiment as far as it is there, and where its page is."""
    from experiments.cli.report import refresh
    from experiments.framework.comparison import Held
    from stages.placement import Placement

    for member in request.members():
        print(Held.of([member.target(Placement())], store).text())
        print(f"report: {refresh(member, store, run_id=run_id)}", flush=True)
