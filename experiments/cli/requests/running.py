"""From a request to the result of its target: what `run`, `train` and `evaluate weights` do.

Tested in tests/experiments/framework/test_validation.py.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from experiments.cli.requests import Request
from experiments.cli.requests.recording import about
from experiments.cli.shared.options import DEFAULT_STORE, Running

if TYPE_CHECKING:
    from pipeline.execution.outcome import Result
    from pipeline.planning.graph import Graph
    from pipeline.store.store import Store


def bring_to_end(request: Request, running: Running) -> tuple[Graph, Store, Result]:
    """Run what is not cached. PipelineError and its kinds tell what went wrong and how to go on."""
    import typer

    from pipeline.driver.run import Invocation, run_graph
    from pipeline.planning.graph import Graph
    from pipeline.store.store import Store

    targets = request.targets(request.placement())
    graph = Graph(targets)
    store = Store.open(running.store)
    invocation = Invocation(
        about=about(request, targets[0]),
        request=request.to_json(),
        cpus=running.cpus,
        gpus=request.gpus,
        keep_going=running.keep_going,
        strict_env=running.strict_env,
        mlflow=running.mlflow,
    )
    result = run_graph(graph, store, invocation)
    kept, made = len(result.in_state("cached")), len(result.in_state("committed"))
    typer.echo(f"{made} stages done, {kept} cached" if made else f"all {kept} stages are cached", err=True)
    return graph, store, result


def ui_command(running: Running) -> str:
    """How to look at the record."""
    return "ssdpipe ui" + ("" if running.store == DEFAULT_STORE else f" --store {shlex.quote(running.store)}")
