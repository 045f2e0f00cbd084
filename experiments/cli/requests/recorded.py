"""Which graph a command means that was given no experiment: that of the last run in the store.

Tested in tests/experiments/cli/test_plan.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.cli.requests import ExperimentRequest, Request, request_from

if TYPE_CHECKING:
    from pipeline.store.store import Store


def meant(request: ExperimentRequest, store: Store, stage: str = "") -> Request:
    """The request itself where it says more than a name; else that of the newest run which fits.

    A run fits that was of this experiment or recipe, or, without one, that has the stage `stage`, or else any run.
    """
    from pipeline.errors import PipelineError
    from pipeline.store.lookup import recorded_requests

    named = ExperimentRequest(experiment=request.experiment)
    if request != named:
        return request if request.experiment else _unnamed()
    runs = list(recorded_requests(store))
    if request.experiment:
        recorded = request.to_json()["experiment"]
        of_it = (request_from(run) for run, _ in runs if recorded in (run.get("experiment"), run.get("recipe")))
        return next(of_it, request)
    if not runs:
        raise PipelineError(f"the store {store.folder.uri} has no run yet: name an experiment, see `ssdpipe list`")
    return request_from(next((run for run, addresses in runs if stage in addresses), runs[0][0]))


def _unnamed() -> Request:
    from pipeline.errors import PipelineError

    raise PipelineError("options change an experiment: name it before them, see `ssdpipe list`")
