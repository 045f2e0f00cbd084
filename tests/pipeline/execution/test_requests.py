"""What stages cost on S3: requests, by ceilings that a careless change exceeds."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from pipeline.execution.executor import InlineExecutor
from pipeline.execution.scheduler import Scheduler
from pipeline.planning.graph import Graph
from pipeline.planning.plan import plan
from pipeline.planning.resolver import Resolver
from pipeline.stage import Context, Stage
from pipeline.store.events import EventLog, read_events
from pipeline.store.record import read_curve
from pipeline.store.store import Store
from tests.s3_server import S3Server

STAGES = 20


@dataclass(frozen=True, kw_only=True)
class Trivial(Stage):
    number: int

    def run(self, ctx: Context) -> None:
        ctx.out.write_json("number.json", self.number)


@dataclass(frozen=True, kw_only=True)
class Curve(Stage):
    def run(self, ctx: Context) -> None:
        for step in range(3000):
            ctx.record(step, {"loss": 1.0, "learning_rate": 0.001})


@pytest.fixture
def store(s3_place: str) -> Store:
    return Store.open(s3_place)


def run(graph: Graph, store: Store, name: str) -> None:
    log = EventLog(store.run(name))
    Scheduler(graph, store, InlineExecutor(), Resolver(graph), run_id=name, observers=[log]).run().raise_for_failures()


def test_a_stage_costs_few_requests(s3: S3Server, store: Store) -> None:
    graph = Graph([Trivial(number=number, variant=str(number)) for number in range(STAGES)])
    each = {}
    for what, call in {
        "new, in a plan": lambda: plan(graph, store, Resolver(graph)),
        "trivial": lambda: run(graph, store, "one"),
        "cached": lambda: run(graph, store, "two"),
        "cached, in a plan": lambda: plan(graph, store, Resolver(graph)),
    }.items():
        with s3.counting() as counts:
            call()
        each[what] = counts.total() / STAGES
        print(what, each[what], {kind: count / STAGES for kind, count in counts.most_common()})
    assert each["new, in a plan"] <= 1.3  # 3 before
    assert each["trivial"] <= 14  # 82 before
    assert each["cached"] <= 3  # 25 before
    assert each["cached, in a plan"] <= 2.3  # 3 before
    assert len([event for event in read_events(store.run("one")) if event.kind == "committed"]) == STAGES


def test_a_curve_is_not_written_again_at_each_point(s3: S3Server, store: Store) -> None:
    graph = Graph([Curve()])
    with s3.counting() as counts:
        run(graph, store, "one")
    assert counts.total() < 40
    curve = read_curve(store.output(store.manifests()[0]))
    assert [point.step for point in curve] == list(range(3000))
