"""Overhead of a stage: trivial stages in a chain and side by side, in process and on Ray, beside Ray's own tasks."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from typing import Any

import ray
from gpu.record import Options, Record

from pipeline.execution.executor import Executor, InlineExecutor
from pipeline.execution.scheduler import Scheduler
from pipeline.planning.graph import Graph
from pipeline.planning.plan import plan
from pipeline.planning.resolver import Resolver
from pipeline.ray_backend.executor import RayExecutor
from pipeline.ray_backend.leaving import disconnect
from pipeline.ray_backend.session import connect
from pipeline.stage import Context, Stage
from pipeline.store.events import EventLog
from pipeline.store.store import Store

STAGES = 200


@dataclass(frozen=True, kw_only=True)
class Trivial(Stage):
    number: int
    above: Stage | None = None

    def run(self, ctx: Context) -> None:
        ctx.out.write_bytes("number", str(self.number).encode())


def measure(options: Options) -> dict[str, Any]:
    """Measure both shapes of graph, and as many of Ray's own trivial tasks."""
    record = Record("stages", options)
    count = 4 if options.small else STAGES
    shapes = {"chain": chain(count), "side by side": side_by_side(count)}
    for name, targets in shapes.items():
        record.put("in process", name, overhead(targets, InlineExecutor()))
    if not options.small:
        began = time.perf_counter()
        connect()
        record.put("Ray", "seconds to start", time.perf_counter() - began)
        try:
            on_ray(record, shapes)
        finally:
            disconnect()
    return record.content


def on_ray(record: Record, shapes: dict[str, list[Stage]]) -> None:
    overhead(side_by_side(8), RayExecutor())  # the first tasks start the worker processes
    record.put("Ray", "its own tasks, side by side, ms each", own_tasks(together=True))
    record.put("Ray", "its own tasks, one after the other, ms each", own_tasks(together=False))
    for name, targets in shapes.items():
        record.put("Ray", name, overhead(targets, RayExecutor()))


def chain(count: int) -> list[Stage]:
    """Return a chain in which each stage needs the one before."""
    last: Stage | None = None
    for number in range(count):
        last = Trivial(number=number, above=last, variant=str(number))
    return [last] if last else []


def side_by_side(count: int) -> list[Stage]:
    return [Trivial(number=number, variant=str(number)) for number in range(count)]


def overhead(targets: list[Stage], executor: Executor) -> dict[str, float]:
    """Milliseconds of each stage; seconds of the run that finds all cached, and of the plan."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(folder)
        first, again = (_seconds(targets, store, executor, run) for run in ("first", "again"))
        began = time.perf_counter()
        graph = Graph(targets)
        rows = plan(graph, store, Resolver(graph))
        planned = time.perf_counter() - began
        assert all(row.state == "cached" for row in rows)
    return {"ms each": 1e3 * first / len(rows), "all cached, s": again, "planned, s": planned, "stages": len(rows)}


def own_tasks(*, together: bool) -> float:
    """Milliseconds of a task of Ray that returns a number."""

    same = ray.remote(_same)
    ray.get([same.remote(number) for number in range(8)])
    began = time.perf_counter()
    if together:
        ray.get([same.remote(number) for number in range(STAGES)])
    else:
        for number in range(STAGES):
            ray.get(same.remote(number))
    return 1e3 * (time.perf_counter() - began) / STAGES


def _same(number: int) -> int:
    return number


def _seconds(targets: list[Stage], store: Store, executor: Executor, run_id: str) -> float:
    began = time.perf_counter()
    graph = Graph(targets)
    log = EventLog(store.run(run_id))
    result = Scheduler(graph, store, executor, Resolver(graph), run_id=run_id, observers=[log]).run()
    assert result.status == "finished", [outcome.error for outcome in result.in_state("failed")]
    return time.perf_counter() - began
