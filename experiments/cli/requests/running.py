"""Run a request and record it in MLflow; shared by `run`, `train` and other commands."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from experiments.cli.requests import Request
from experiments.cli.shared.completion import DEFAULT_STORE
from experiments.cli.shared.options import RunOptions
from pipeline.redaction import redacted

if TYPE_CHECKING:
    from pipeline.execution.outcome import Result
    from pipeline.mlflow_tracking.client import About
    from pipeline.planning.graph import Graph
    from pipeline.stage import Stage
    from pipeline.store.store import Store


MODEL_LOADER = "experiments.framework.mlflow_model"
"""Module by which MLflow loads weights."""


def run_request(request: Request, running: RunOptions) -> tuple[Graph, Store, Result]:
    """Run the stages that are not cached. Raises PipelineError, or a subclass, with the cause and the remedy."""
    import typer

    from pipeline.driver.run import Invocation, run_graph
    from pipeline.planning.graph import Graph
    from pipeline.store.store import Store
    from stages.shards.trained_images_note import TRAINED_IMAGES_ALLOWED
    from stages.shards.unseen import OnUnseenImages

    check_environment()
    targets = request.targets(request.placement())
    graph = Graph(targets)
    store = Store.open(running.store)
    invocation = Invocation(
        about=about(request, targets[0]),
        request=request.to_json(),
        cpus=running.cpus,
        gpus=request.gpus,
        least_gpus=request.least_gpus,
        keep_going=running.keep_going,
        strict_env=running.strict_env,
        mlflow=running.mlflow,
    )
    result = run_graph(graph, store, invocation)
    cached, done = len(result.in_state("cached")), len(result.in_state("committed"))
    typer.echo(f"{done} stages done, {cached} cached" if done else f"all {cached} stages are cached", err=True)
    if any(isinstance(node.stage, OnUnseenImages) and node.stage.allow_trained_images for node in graph.nodes.values()):
        typer.echo(f"note: {TRAINED_IMAGES_ALLOWED}", err=True)
    return graph, store, result


def check_environment() -> None:
    """Raise PipelineError for variables that would only fail in a worker."""
    from pipeline.errors import PipelineError
    from ssd_core.data.shard_cache import largest_size

    try:
        largest_size()
    except ValueError as error:
        raise PipelineError(str(error)) from error


def about(request: Request, target: Stage) -> About:
    """The MLflow experiment of a request for `target`: its name, primary metric and description."""
    from pipeline.mlflow_tracking.client import About

    metric = _primary_metric(target)
    return About(name=request.name, primary_metric=metric, note=request.note(), loader=MODEL_LOADER)


def _primary_metric(target: Stage) -> str:
    from experiments.framework.experiment import METRICS
    from stages.evaluation.evaluate import Evaluate
    from stages.evaluation.evaluate_coco import EvaluateCoco
    from stages.tables.table import Table

    match target:
        case Table():
            first = next((cell.metric for cell in target.cells if cell.results), "")
            return first or target.metric
        case EvaluateCoco():
            return METRICS["coco"]
        case Evaluate() if target.pixel_tolerance:
            return METRICS["ilsvrc"]
    return METRICS["voc"]


def ui_command(running: RunOptions) -> str:
    """The command that shows this store's runs in MLflow."""
    store = shlex.quote(redacted(running.store))
    return "ssdpipe ui" + ("" if running.store == DEFAULT_STORE else f" --store {store}")
