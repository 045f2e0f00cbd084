"""`ssdpipe stop`: ask a run to stop, wherever it runs.

Tested in tests/experiments/cli/runs/test_status.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from experiments.cli.runs.status import RunArgument
from experiments.cli.shared.options import StorePlace

if TYPE_CHECKING:
    from pipeline.store.runs import StoredRun
    from pipeline.store.store import Store


def stop(
    run: RunArgument = "",
    *,
    place: StorePlace,
    kill: Annotated[bool, typer.Option("--kill", help="End all stages at once, without a checkpoint.")] = False,
) -> None:
    """Ask a run to stop, as Ctrl-C does in its terminal.

    Trainings save a checkpoint, and the same command resumes. The request is a file in the store, which the driver
    reads every other second on whatever host. RUN may be omitted when a single run has not ended.
    """
    from pipeline.errors import PipelineError
    from pipeline.store.runs import request_stop
    from pipeline.store.store import Store

    store = Store.open(place.store)
    found = _find(store, run)
    if not found.is_lively:
        raise PipelineError(
            f"run {found.id} does not run: its status is {found.status}, see `ssdpipe status {found.id}`"
        )
    request_stop(found.folder, kill=kill)
    process = found.state.process
    where = f" on {process.host}, pid {process.pid}," if process else ""
    print(
        f"asked run {found.id}{where} to {'end at once' if kill else 'stop'}; `ssdpipe status {found.id}` shows its end"
    )


def _find(store: Store, text: str) -> StoredRun:
    """The run of this id, or the only one that has not ended."""
    from pipeline.errors import PipelineError
    from pipeline.store.runs import find_run, lively_runs

    if text:
        return find_run(store, text)
    lively = lively_runs(store)
    if len(lively) == 1:
        return lively[0]
    listed = f"there are {len(lively)}: {', '.join(run.id for run in lively)}" if lively else "none runs"
    raise PipelineError(f"no run is named, and in the store {store.folder.shown} {listed}")
