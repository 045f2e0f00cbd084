"""What the store recorded of requests: which one a command means, and which results of an earlier scheme it made.

Tested in tests/experiments/cli/test_plan.py and test_earlier_scheme.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from experiments.cli.requests import ExperimentRequest, Request, request_from

if TYPE_CHECKING:
    from experiments.framework.comparison import Held
    from pipeline.stage import Stage
    from pipeline.store.store import Manifest, Store


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


def held(request: ExperimentRequest, targets: Sequence[Stage], store: Store) -> Held:
    """What the store holds of the targets of one experiment.

    As long as its table has no number by keys of today: what the same request made by keys of an earlier scheme.
    """
    from experiments.framework.comparison import Held

    now = Held.of(targets, store)
    if now.has_numbers:
        return now
    earlier = [result for target in targets if (result := _made_earlier(request, target.address, store))]
    return now.with_earlier(earlier) if earlier else now


def _made_earlier(request: ExperimentRequest, address: str, store: Store) -> Manifest | None:
    """The newest result of that address which the same request made by keys of an earlier scheme."""
    made = (result for result in reversed(store.manifests()) if result.address == address)
    earlier = (result for result in made if result.ingredients.is_of_earlier_scheme and store.find(result.key))
    return next((result for result in earlier if _is_of(request, result)), None)


def _is_of(request: ExperimentRequest, result: Manifest) -> bool:
    recorded = result.provenance.get("request", {})
    was = request_from(recorded) if recorded else None
    return isinstance(was, ExperimentRequest) and _computing(was) == _computing(request)


def _computing(request: ExperimentRequest) -> ExperimentRequest:
    """Without where it runs, and without the name: `all` and `table3` hold the same experiment."""
    return replace(request, experiment="", gpus=None, gpus_per_training=1, settings=request.settings or None)


def _unnamed() -> Request:
    from pipeline.errors import PipelineError

    raise PipelineError("options change an experiment: name it before them, see `ssdpipe list`")
