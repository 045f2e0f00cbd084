"""One invocation of a graph: plan, and return when all is cached; else check, start Ray, run, report.

Ray and MLflow are imported only when a stage is to run.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.display.screen import announced, display
from pipeline.driver.failures import raise_for_failures, this_command
from pipeline.driver.interrupts import hangup_held, stopping_on_signals
from pipeline.driver.preflight import check_resources, check_store
from pipeline.errors import ClusterLost, Interrupted, PipelineError, StoreFault
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
from pipeline.store.provenance import run_provenance
from pipeline.store.store import Store


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """How a graph is run. Nothing here changes a result; only `strict_env` changes keys, by adding library versions."""

    about: About
    """The MLflow experiment."""

    request: Mapping[str, Any] = field(default_factory=dict)
    """What the graph was built from, as JSON; recorded so that `why` can rebuild it."""

    cpus: int | None = None
    """CPUs for the whole graph; None takes all. A session on this machine may be given more than it has."""

    gpus: int | None = None
    """GPUs for the whole graph; None takes all."""

    least_gpus: int | None = None
    """Number of GPUs to start with when fewer than `gpus` are there; None requires all."""

    keep_going: bool = True
    strict_env: bool = False
    mlflow: bool = True


def run_graph(graph: Graph, store: Store, invocation: Invocation) -> Result:
    """Run every stage to completion.

    Raises PipelineError before anything starts or for a user's mistake in a stage, StageFailed for other failures, and
    Interrupted after Ctrl-C; each message says how to continue.
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
        raise Interrupted(_how_to_resume(str(error), graph, store, resolver)) from None
    except StoreFault as error:
        raise StoreFault(f"{error}:\n  {this_command()}") from error
    except ClusterLost as error:
        raise ClusterLost(_how_to_continue(error)) from error
    raise_for_failures(result, store)
    return result


def _all_cached(rows: list[PlanRow]) -> Result:
    outcomes = {row.node.id: Outcome(address=row.address, state="cached", manifest=row.manifest) for row in rows}
    return Result("", outcomes)


def _refuse(waiting: list[PlanRow], store: Store, invocation: Invocation) -> None:
    """Raise PipelineError for what cannot work, before Ray starts; let stages fetch what they need."""
    from pipeline.ray_backend.session import check_surroundings, local_capacity

    here = local_capacity()
    if here is not None:
        total = _budget(invocation, Resources(cpus=invocation.cpus or here.cpus, gpus=here.gpus))
        check_resources([row.node for row in waiting], total, (total,))
    if not _connected():
        check_surroundings()
    for row in waiting:
        row.node.stage.prepare()
    check_store(store.folder)


def _connected() -> bool:
    """Whether this process is in a Ray session already; without importing Ray."""
    return "ray" in sys.modules and bool(sys.modules["ray"].is_initialized())


def _budget(invocation: Invocation, there: Resources) -> Resources:
    """What the stages may use of the resources that are there. Raises PipelineError when there are too few."""
    least_gpus = invocation.gpus if invocation.least_gpus is None else invocation.least_gpus
    for name, option, wanted, available in (
        ("GPUs", "--gpus", least_gpus, there.gpus),
        ("CPUs", "--cpus", invocation.cpus, there.cpus),
    ):
        if wanted is not None and wanted > available:
            raise PipelineError(
                f"{option} {wanted:g}: there are only {available:g} {name}. Ask for {option} {available:g}, "
                "or name a larger cluster with RAY_ADDRESS"
            )
    return _limited(invocation, there)


def _limited(invocation: Invocation, there: Resources) -> Resources:
    return Resources(
        cpus=there.cpus if invocation.cpus is None else min(invocation.cpus, there.cpus),
        gpus=there.gpus if invocation.gpus is None else min(invocation.gpus, there.gpus),
    )


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
    from pipeline.ray_backend.leaving import disconnect
    from pipeline.ray_backend.session import connect

    joined_before, lost = _connected(), False
    own = {} if joined_before else own_parts(graph)
    try:
        with announced("starting Ray; Ctrl-C stops it, and the same command continues"), hangup_held():
            there = connect(cpus=invocation.cpus, own=own.values())
        executor = RayExecutor(taken_along=own)
        with executor.ended_when_lost(_end_process):
            budget = _budget(invocation, there.total)
            check_resources([row.node for row in waiting], budget, () if there.can_grow else there.nodes)
            _check_nodes(store, waiting)
            scheduler = Scheduler(
                graph,
                store,
                executor,
                resolver,
                run_id=run_id,
                observers=observers,
                budget=budget,
                controllers=there.controllers,
                growth=lambda: _limited(invocation, executor.capacity()),
                keep_going=invocation.keep_going,
                provenance={**run_provenance(), "request": dict(invocation.request)},
            )
            with stopping_on_signals(scheduler.stop):
                return scheduler.run()
    except ClusterLost:
        lost = True
        raise
    finally:
        if not joined_before:
            disconnect(lost=lost)


def _check_nodes(store: Store, waiting: list[PlanRow]) -> None:
    """Raise PipelineError for a node of a cluster on which nothing can run; warn of those that lack GPUs."""
    from pipeline.ray_backend.node_probe import check_nodes

    if os.environ.get("RAY_ADDRESS"):
        for warning in check_nodes(store.folder, _places_read(waiting)):
            sys.stderr.write(f"{warning}\n")


def _end_process(lost: ClusterLost) -> None:
    """End this process, whose main thread waits for an answer of a dead head. Its leases are free at once."""
    from pipeline.ray_backend.leaving import end_own_processes

    sys.stderr.write(f"{_how_to_continue(lost)}\n")
    sys.stderr.flush()
    end_own_processes()
    os._exit(lost.exit_code)


def _how_to_continue(lost: ClusterLost) -> str:
    return f"{lost}; the same command continues:\n  {this_command()}"


def _places_read(waiting: list[PlanRow]) -> list[str]:
    return sorted({place for row in waiting for place in row.node.stage.places_read()})


def _how_to_resume(text: str, graph: Graph, store: Store, resolver: Resolver) -> str:
    """The report on an interrupted run: how far its stages got, and the command that resumes it."""
    stopped = [row for row in plan(graph, store, resolver) if row.state == "resume"]
    lines = [f"  {row.address}: {row.reason}" for row in stopped]
    return "\n".join([f"{text}:", *lines, f"  {this_command()}"])
