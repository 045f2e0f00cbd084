"""Plan and run 2,000 trivial stages, side by side or in chains, in process or on Ray; prints milliseconds as JSON.

python -c "from cpu.growth_stages import main; main()" SHAPE STAGES ray|inline
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from typing import TypeVar

from cpu.stages import Trivial, side_by_side

from pipeline.execution.executor import Executor, InlineExecutor
from pipeline.execution.scheduler import Scheduler
from pipeline.planning.graph import Graph
from pipeline.planning.plan import plan
from pipeline.planning.resolver import Resolver
from pipeline.stage import Stage
from pipeline.store.store import Store

Value = TypeVar("Value")
ROW = 10
"""Stages of a chain."""


def chains(count: int) -> list[Stage]:
    """Return chains of `ROW` stages, each of which needs the one before."""
    made: list[Stage] = []
    for number in range(count):
        made.append(Trivial(number=number, above=made[-1] if number % ROW else None, variant=str(number)))
    return made[ROW - 1 :: ROW]


def main() -> None:
    shape, count, where = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    targets = {"chains": chains, "side by side": side_by_side}[shape]
    if where == "inline":
        print(json.dumps(overhead(targets(count), InlineExecutor())))
        return
    from pipeline.ray_backend.executor import RayExecutor
    from pipeline.ray_backend.leaving import disconnect
    from pipeline.ray_backend.session import connect

    connect()
    try:
        overhead(side_by_side(8), RayExecutor())  # the first tasks start the worker processes
        print(json.dumps(overhead(targets(count), RayExecutor())))
    finally:
        disconnect()


def overhead(targets: list[Stage], executor: Executor) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(folder)
        planned, graph = _timed(lambda: _plan(targets, store))
        cpu = time.process_time()
        ran, _ = _timed(lambda: _run(graph, store, executor))
        used = time.process_time() - cpu
        again, _ = _timed(lambda: _run(Graph(targets), store, executor))
    stages = len(graph.nodes)
    each = {"ms each": 1e3 * ran / stages, "CPU ms each": 1e3 * used / stages}
    return {"planned, s": planned, **each, "all cached, s": again, "stages": stages}


def _plan(targets: list[Stage], store: Store) -> Graph:
    graph = Graph(targets)
    plan(graph, store, Resolver(graph))
    return graph


def _run(graph: Graph, store: Store, executor: Executor) -> None:
    run_id = f"run-{time.time_ns()}"
    Scheduler(graph, store, executor, Resolver(graph), run_id=run_id).run().raise_for_failures()


def _timed(work: Callable[[], Value]) -> tuple[float, Value]:
    began = time.perf_counter()
    value = work()
    return time.perf_counter() - began, value
