"""`ssdpipe run`: an experiment, from data to its table and its page."""

from __future__ import annotations

from experiments.cli.options import Running
from experiments.cli.requests import ExperimentRequest


def run(request: ExperimentRequest, running: Running) -> None:
    """Run an experiment, print its table, and write its report.

    What is cached is not run again; after a failure or Ctrl-C the same command goes on where it stopped.
    """
    from experiments.cli.report import refresh
    from experiments.cli.running import bring_to_end, ui_command
    from experiments.comparison import current_table
    from pipeline.errors import StageFailed
    from pipeline.store import Store
    from stages.graphs import Placement
    from stages.table import TABLE_TEXT

    try:
        graph, store, result = bring_to_end(request, running)
    except StageFailed:
        store = Store.open(running.store)
        print(current_table(request.target(Placement()), store))
        print(f"report: {refresh(request, store)}", flush=True)
        raise
    manifest = result.outcomes[graph.targets[0]].manifest
    assert manifest is not None, "the run of its graph ended well"
    print(store.output(manifest).read_bytes(TABLE_TEXT).decode())
    print(f"report: {refresh(request, store, run_id=result.run_id if running.mlflow else '')}")
    if running.mlflow:
        print(f"runs:   {ui_command(running)}")
