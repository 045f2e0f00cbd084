"""From a request to the result of its target and to its record in MLflow: what `run`, `train` and others share."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from experiments.cli.requests import Request
from experiments.cli.shared.options import DEFAULT_STORE, Running

if TYPE_CHECKING:
    from pipeline.execution.outcome import Result
    from pipeline.mlflow_tracking.client import About
    from pipeline.planning.graph import Graph
    from pipeline.stage import Stage
    from pipeline.store.store import Store


def bring_to_end(request: Request, running: Running) -> tuple[Graph, Store, Result]:
    """Run what is not cached. PipelineError and its kinds say what went wrong and how to go on."""
    import typer

    from pipeline.driver.run import Invocation, run_graph
    from pipeline.planning.graph import Graph
    from pipeline.store.store import Store
    from stages.shards.trained_images_note import TRAINED_IMAGES_ALLOWED
    from stages.shards.unseen import OnUnseenImages

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
    if any(isinstance(node.stage, OnUnseenImages) and node.stage.allow_trained_images for node in graph.nodes.values()):
        typer.echo(f"note: {TRAINED_IMAGES_ALLOWED}", err=True)
    return graph, store, result


def about(request: Request, target: Stage) -> About:
    """The experiment of MLflow for a request that asks for `target`: its name, its first number, its page."""
    from pipeline.mlflow_tracking.client import About

    return About(name=request.name, primary_metric=_main_number(target), note=request.note())


def _main_number(target: Stage) -> str:
    from experiments.framework.experiment import METRICS
    from stages.evaluation.evaluate import Evaluate
    from stages.evaluation.evaluate_coco import EvaluateCoco
    from stages.tables.table import Table

    match target:
        case Table():
            ours = next((cell.metric for cell in target.cells if cell.results), "")
            return ours or target.metric
        case EvaluateCoco():
            return METRICS["coco"]
        case Evaluate() if target.pixel_tolerance:
            return METRICS["ilsvrc"]
    return METRICS["voc"]


def ui_command(running: Running) -> str:
    """How to look at the record."""
    return "ssdpipe ui" + ("" if running.store == DEFAULT_STORE else f" --store {shlex.quote(running.store)}")
