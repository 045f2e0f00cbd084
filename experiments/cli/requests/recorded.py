"""Requests recorded in the store: which one a command refers to, and its results under an earlier scheme of keys.

Tested in tests/experiments/cli/test_plan.py and test_earlier_scheme.py.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from experiments.cli.requests import ExperimentRequest, Request, request_from
from experiments.cli.shared.options import typed_fields
from pipeline.redaction import redacted, redacted_arguments

if TYPE_CHECKING:
    from experiments.framework.comparison import StoredExperiment
    from pipeline.stage import Stage
    from pipeline.store.store import Manifest, Store


def resolve_request(
    request: ExperimentRequest, store: Store, stage: str = "", *, complete_options: bool = False
) -> Request:
    """The request itself if it has options besides the name; else that of the newest matching run.

    With a name, runs of that experiment or recipe match; without one, runs whose graph has `stage`, or else any run.
    With `complete_options`, options that never ran are completed by those of the newest run that has them.
    Raises PipelineError for options without a name, when the store has no run, and when its newest run is that of a
    user's file, which must be typed.
    """
    from pipeline.errors import PipelineError
    from pipeline.store.lookup import recorded_requests
    from pipeline.suggestion import with_seed

    named = ExperimentRequest(experiment=request.experiment)
    if request != named and not request.experiment:
        _refuse_unnamed()
    if request != named and not complete_options:
        return request
    runs = list(recorded_requests(store))
    if request != named:
        return _completed(request, [request_from(run) for run, _ in runs])
    if request.experiment:
        recorded = request.to_json()["experiment"]
        matching = (request_from(run) for run, _ in runs if recorded in (run.get("experiment"), run.get("recipe")))
        return next(matching, request)
    if not runs:
        remedy = (
            f"name the experiment of the stage: `ssdpipe why {stage} EXPERIMENT`" if stage else "name an experiment"
        )
        raise PipelineError(f"the store {store.folder.uri} has no run yet: {remedy}, see `ssdpipe list`")
    return _untyped(
        request_from(next((run for run, addresses in runs if with_seed(stage, addresses) in addresses), runs[0][0])),
        store,
    )


def _completed(request: ExperimentRequest, recorded: Sequence[Request]) -> ExperimentRequest:
    """The request itself if it was run; else the newest run of the experiment that has its options and further ones."""
    plain, wanted = ExperimentRequest(experiment=request.experiment), request.to_json()["experiment"]
    runs = [each for each in recorded if isinstance(each, ExperimentRequest) and _contains(each, wanted)]
    if any(settings_of(each) == settings_of(request) for each in runs):
        return request
    typed = {name: value for name, value in vars(settings_of(request)).items() if value != getattr(plain, name)}
    typed.pop("experiment", None)
    for each in runs:
        if all(getattr(settings_of(each), name) == value for name, value in typed.items()):
            options = shlex.join(typed_options(settings_of(each)))
            typer.echo(f"note: these are the options of the newest run with the ones given: {options}", err=True)
            return replace(each, experiment=request.experiment)
    return request


def _contains(recorded: ExperimentRequest, name: str) -> bool:
    """Whether a run computed an experiment, alone or among others."""
    from experiments.framework.names import ALIASES

    among_others = recorded.experiment in ALIASES and name in {each.experiment for each in recorded.members()}
    return recorded.experiment == name or among_others


def typed_options(request: ExperimentRequest) -> list[str]:
    """The options of a request that are not at their defaults, as words of a command line."""
    plain = ExperimentRequest(experiment=request.experiment)
    values = [(item.name, getattr(request, item.name)) for item in typed_fields(request) if item.name != "experiment"]
    changed = [_option(name, value) for name, value in values if value != getattr(plain, name)]
    return redacted_arguments([word for option in changed for word in option])


def _option(name: str, value: Any) -> list[str]:
    if name == "settings":
        return [word for setting in value for word in ("-s", setting)]
    option = f"--{name.replace('_', '-')}"
    return [option] if value is True else [option, str(value)]


def _untyped(recorded: Request, store: Store) -> Request:
    """A request of which the user typed nothing. Raises PipelineError when it names a Python file.

    Only files that the user types are executed: the store may be another person's.
    """
    from experiments.framework.loading import names_a_file
    from pipeline.errors import PipelineError

    if isinstance(recorded, ExperimentRequest) and names_a_file(recorded.experiment):
        raise PipelineError(
            f"the newest run in the store {store.folder.uri} is that of the file {recorded.experiment}. A file that a "
            f"store names is not executed: if you trust it, add its path to the command: "
            f"{shlex.quote(recorded.experiment)}"
        )
    return recorded


def stored_experiment(request: ExperimentRequest, targets: Sequence[Stage], store: Store) -> StoredExperiment:
    """The stored results of an experiment's targets.

    While its table has no number under the current scheme of keys: results of the same request under an earlier one.
    """
    from experiments.framework.comparison import StoredExperiment

    current = StoredExperiment.of(targets, store)
    if current.has_numbers:
        return current
    earlier = [result for target in targets if (result := _earlier_result(request, target.address, store))]
    return current.with_earlier(earlier) if earlier else current


def _earlier_result(request: ExperimentRequest, address: str, store: Store) -> Manifest | None:
    """The newest result of the same request at an address, under an earlier scheme of keys."""
    at_address = (result for result in reversed(store.manifests()) if result.address == address)
    earlier = (result for result in at_address if result.ingredients.is_of_earlier_scheme and store.find(result.key))
    return next((result for result in earlier if _has_request(result, request)), None)


def _has_request(result: Manifest, request: ExperimentRequest) -> bool:
    json = result.provenance.get("request", {})
    recorded = request_from(json) if json else None
    return isinstance(recorded, ExperimentRequest) and settings_of(recorded) == settings_of(request)


def settings_of(request: ExperimentRequest) -> ExperimentRequest:
    """The request as recorded, without placement and without the name: `all` and `table3` contain one experiment."""
    data, settings = redacted(request.data), redacted_arguments(request.settings or ())
    placed = replace(request, gpus=None, gpus_per_training=1, cpus_per_worker=None, in_process=False)
    return replace(placed, experiment="", data=data, settings=settings or None)


def _refuse_unnamed() -> NoReturn:
    from pipeline.errors import PipelineError

    raise PipelineError("these options need an experiment: name it before them, see `ssdpipe list`")
