"""A hint for tables without any number: the recorded requests of the same experiments that have results.

Tested in tests/experiments/cli/test_report.py.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from experiments.cli.requests import ExperimentRequest, request_from
from experiments.cli.requests.recorded import settings_of, stored_experiment, typed_options
from experiments.cli.shared.completion import DEFAULT_STORE
from pipeline.redaction import redacted

if TYPE_CHECKING:
    from experiments.framework.comparison import StoredExperiment
    from pipeline.store.store import Store

SHOWN = 5
"""Largest number of commands in the hint."""


def hint_if_empty(
    verb: str, tables: Sequence[tuple[ExperimentRequest, StoredExperiment]], store: Store, place: str
) -> None:
    """Say on stderr when the tables show no number of ours, with the commands of this verb that show some."""
    import typer

    if any(stored.has_numbers or not stored.awaits_numbers for _, stored in tables):
        return
    commands = [line for request, _ in tables for line in islice(_with_results(verb, request, store), SHOWN)]
    at = "" if place == DEFAULT_STORE else f" --store {shlex.quote(redacted(place))}"
    typer.echo(f"note: the store {store.folder.shown} has no number for these options", err=True)
    if commands:
        typer.echo("\n".join(["it has numbers for:", *(f"  {line}{at}" for line in commands[:SHOWN])]), err=True)


def hint_if_partial(tables: Sequence[tuple[ExperimentRequest, StoredExperiment]]) -> None:
    """Say on stderr how many rows of a table are not run, after an interruption, and which command runs them."""
    import typer

    for request, stored in tables:
        ours = [line for line in stored.lines() if not line.quoted]
        if stored.has_numbers and (missing := sum(not line.values for line in ours)):
            command = _typed("run", request)
            typer.echo(f"note: {missing} of {len(ours)} rows are not run; to run them: {command}", err=True)


def _with_results(verb: str, request: ExperimentRequest, store: Store) -> Iterator[str]:
    """Command lines for the experiment with the options of recorded runs that have results, newest first."""
    from pipeline.errors import PipelineError
    from stages.placement import Placement

    recorded = {_typed(verb, each): each for each in reversed(list(_recorded(request, store)))}
    for line, each in reversed(recorded.items()):
        try:
            stored = stored_experiment(each, [each.target(Placement())], store)
        except PipelineError:  # such as a data set or a setting that no longer exists
            continue
        if stored.has_numbers:
            yield line


def _recorded(request: ExperimentRequest, store: Store) -> Iterator[ExperimentRequest]:
    """The experiment with the options of each run of it, alone or among others; newest first."""
    from pipeline.store.lookup import recorded_requests

    wanted = request.to_json()["experiment"]
    for run, _ in recorded_requests(store):
        recorded = request_from(run)
        if isinstance(recorded, ExperimentRequest) and wanted in {each.experiment for each in recorded.members()}:
            yield replace(settings_of(recorded), experiment=request.experiment)


def _typed(verb: str, request: ExperimentRequest) -> str:
    """The request as a command line."""
    return shlex.join(["ssdpipe", verb, request.experiment, *typed_options(request)])
