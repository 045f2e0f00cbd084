"""Overhead of a stage: 200 trivial stages, in a chain and side by side, in process and on Ray; and planning them.

python benchmarks/scheduler_overhead.py [--stages 200]
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from dataclasses import dataclass

from pipeline.execution.executor import Executor, InlineExecutor
from pipeline.execution.scheduler import Scheduler
from pipeline.planning.graph import Graph
from pipeline.planning.plan import plan
from pipeline.planning.resolver import Resolver
from pipeline.ray_backend import session as ray_session
from pipeline.ray_backend.executor import RayExecutor
from pipeline.stage import Context, Stage
from pipeline.store.events import EventLog
from pipeline.store.store import Store


@dataclass(frozen=True, kw_only=True)
class Trivial(Stage):
    number: int
    above: Stage | None = None

    def run(self, ctx: Context) -> None:
        ctx.out.write_bytes("number", str(self.number).encode())


def chain(count: int) -> list[Stage]:
    """Return a chain in which each stage needs the one before."""
    last: Stage | None = None
    for number in range(count):
        last = Trivial(number=number, above=last, variant=str(number))
    return [last] if last else []


def side_by_side(count: int) -> list[Stage]:
    return [Trivial(number=number, variant=str(number)) for number in range(count)]


def measure(name: str, targets: list[Stage], executor: Executor) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(folder)
        first = _seconds(targets, store, executor, "first")
        again = _seconds(targets, store, executor, "again")
        began = time.perf_counter()
        graph = Graph(targets)
        rows = plan(graph, store, Resolver(graph))
        planned = time.perf_counter() - began
        assert all(row.state == "cached" for row in rows)
    count = len(rows)
    print(
        f"{name:22} {count} stages: {first / count * 1e3:6.1f} ms each, all cached {again:.2f} s, plan {planned:.2f} s"
    )


def _seconds(targets: list[Stage], store: Store, executor: Executor, run_id: str) -> float:
    began = time.perf_counter()
    graph = Graph(targets)
    log = EventLog(store.run(run_id))
    result = Scheduler(graph, store, executor, Resolver(graph), run_id=run_id, observers=[log]).run()
    assert result.status == "finished", [outcome.error for outcome in result.in_state("failed")]
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stages", type=int, default=200)
    count = parser.parse_args().stages
    shapes = {"chain": chain(count), "side by side": side_by_side(count)}
    for name, targets in shapes.items():
        measure(f"in process, {name}", targets, InlineExecutor())
    began = time.perf_counter()
    print(f"Ray with {ray_session.connect().total.cpus:g} CPUs started in {time.perf_counter() - began:.1f} s")
    measure("Ray, first workers", side_by_side(2 * (os.cpu_count() or 1)), RayExecutor())
    for name, targets in shapes.items():
        measure(f"Ray, {name}", targets, RayExecutor())
    ray_session.disconnect()


if __name__ == "__main__":
    main()
