"""One invocation, from a graph to its end: plan; nothing more when all is cached; else refuse, start Ray, run, tell.

Ray and MLflow are imported only when a stage is to run.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.display.screen import display
from pipeline.driver.failures import raise_for_failures, this_command
from pipeline.driver.interrupts import stopping_on_signals
from pipeline.driver.preflight import check_resources, check_store
from pipeline.errors import Interrupted, PipelineError
from pipeline.execution.outcome import Outcome, Result
from pipeline.execution.scheduler import Scheduler
from pipeline.mlflow_tracking.client import About
from pipeline.mlflow_tracking.observer import MlflowObserver, catch_up
from pipeline.planning.graph import Graph
from pipeline.planning.own_files import own_parts
from pipeline.planning.plan import PlanRow, plan
from pipeline.planning.resolver import Resolver
from pipeline.stage import Resources
from pipeline.store.events import EventLog, Observer, new_run_id
from pipeline.store.provenance import of_run
from pipeline.store.store import Store


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """How a graph is run; nothing here changes a result, except that `strict_env` puts libraries into the keys."""

    about: About
    """The MLflow experiment."""

    request: Mapping[str, Any] = field(default_factory=dict)
    """What the graph was built from, as JSON; recorded, so that `why` can build it again."""

    cpus: int | None = None
    """Of the whole graph; all there are when left out. A session on this machine may be given more than it has."""

    gpus: int | None = None
    """Of the whole graph; all there are when left out."""

    keep_going: bool = True
    strict_env: bool = False
    mlflow: bool = True


def run_graph(graph: Graph, store: Store, invocation: Invocation) -> Result:
    """Bring every stage to an end.

    Raises PipelineError before anything starts or for a mistake met on the way, StageFailed for other failures,
    Interrupted after Ctrl-C; each tells how to go on.
    """
    resolver = Resolver(graph, strict_env=invocation.strict_env)
    rows = plan(graph, store, resolver)
    waiting = [row for row in rows if row.manifest is None]
    if not waiting:
        if invocation.mlflow:
            catch_up(graph, store, invocation.about)
        return _all_cached(rows)
    _refuse(waiting, store, invocation)
    run_id = new_run_id()
    observers = _observers(graph, store, invocation, run_id)
    try:
        result = _run_on_ray(graph, store, resolver, invocation, run_id, observers, waiting)
    except Interrupted as error:
        raise Interrupted(_goes_on(str(error), graph, store, resolver)) from None
    raise_for_failures(result, store)
    return result


def _all_cached(rows: list[PlanRow]) -> Result:
    outcomes = {row.node.id: Outcome(address=row.address, state="cached", manifest=row.manifest) for row in rows}
    return Result("", outcomes)


def _refuse(waiting: list[PlanRow], store: Store, invocation: Invocation) -> None:
    """Raise PipelineError for what cannot work, before Ray starts; then let stages fetch what they need."""
    from pipeline.ray_backend.session import local_capacity

    here = local_capacity()
    if here is not None:
        total = _budget(invocation, Resources(cpus=invocation.cpus or here.cpus, gpus=here.gpus))
        check_resources([row.node for row in waiting], total)
    for row in waiting:
        row.node.stage.prepare()
    check_store(store.folder)


def _budget(invocation: Invocation, there: Resources) -> Resources:
    """What the stages may use of what there is."""
    asked = Resources(
        cpus=there.cpus if invocation.cpus is None else invocation.cpus,
        gpus=there.gpus if invocation.gpus is None else invocation.gpus,
    )
    for name, option, wanted, found in (
        ("GPUs", "--gpus", asked.gpus, there.gpus),
        ("CPUs", "--cpus", asked.cpus, there.cpus),
    ):
        if wanted > found:
            raise PipelineError(
                f"{option} {wanted:g}: there are only {found:g} {name}. Ask for {option} {found:g}, "
                "or name a larger cluster with RAY_ADDRESS"
            )
    return asked


def _observers(graph: Graph, store: Store, invocation: Invocation, run_id: str) -> list[Observer]:
    observers: list[Observer] = [EventLog(store.run(run_id)), display(len(graph.nodes))]
    if invocation.mlflow:
        observers.append(MlflowObserver(graph, store, invocation.about, run_id=run_id))
    return observers


def _run_on_ray(
    graph: Graph,
    store: Store,
    resolver: Resolver,
    invocation: Invocation,
    run_id: str,
    observers: list[Observer],
    waiting: list[PlanRow],
) -> Result:
    from pipeline.ray_backend.executor import RayExecutor
    from pipeline.ray_backend.session import connect, disconnect

    joined_before = "ray" in sys.modules and sys.modules["ray"].is_initialized()
    own = {} if joined_before else own_parts(graph)
    cluster = connect(cpus=invocation.cpus, own=own.values())
    try:
        budget = _budget(invocation, cluster.total)
        check_resources([row.node for row in waiting], budget, cluster.largest_node)
        scheduler = Scheduler(
            graph,
            store,
            RayExecutor(taken_along=own),
            resolver,
            run_id=run_id,
            observers=observers,
            budget=budget,
            keep_going=invocation.keep_going,
            provenance={**of_run(), "request": dict(invocation.request)},
        )
        with stopping_on_signals(scheduler.stop):
            return scheduler.run()
    finally:
        if not joined_before:
            disconnect()


def _goes_on(text: str, graph: Graph, store: Store, resolver: Resolver) -> str:
    """The account of an interrupted run: how far its stages came, and the command that goes on."""
    stopped = [row for row in plan(graph, store, resolver) if row.state == "resume"]
    lines = [f"  {row.address}: {row.reason}" for row in stopped]
    return "\n".join([f"{text}:", *lines, f"  {this_command()}"])
