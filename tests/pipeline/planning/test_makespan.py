"""How long a graph takes; all expected times are computed by hand."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pytest

from pipeline.errors import PipelineError
from pipeline.planning.graph import Graph
from pipeline.planning.makespan import makespan, seconds_to_the_end
from pipeline.stage import Resources, Stage, execution


@dataclass(frozen=True, kw_only=True)
class Step(Stage):
    name: str
    seconds: float
    needs: tuple[Stage, ...] = ()
    gpus: float = execution(0)

    @property
    def resources(self) -> Resources:
        return Resources(gpus=self.gpus)

    def run(self, ctx: Any) -> None: ...


def step(name: str, seconds: float, *needs: Stage, gpus: float = 1) -> Step:
    return Step(name=name, seconds=seconds, needs=needs, gpus=gpus, variant=name)


def seconds_of(graph: Graph) -> dict[str, float]:
    return {node.id: node.stage.seconds for node in graph.nodes.values()}  # type: ignore[attr-defined]


def takes(*targets: Stage, gpus: float, cpus: float = math.inf) -> float:
    graph = Graph(targets)
    return makespan(graph, seconds_of(graph), Resources(cpus=cpus, gpus=gpus))


def test_twelve_equal_trainings_on_eight_gpus_take_two_rounds():
    trainings = tuple(step(f"train{number}", 100) for number in range(12))
    assert takes(*trainings, gpus=8) == 200
    assert takes(*trainings, gpus=12) == 100
    assert takes(*trainings, gpus=1) == 1200


def test_trainings_of_two_gpus_leave_half_as_many_places():
    assert takes(*(step(f"train{number}", 100, gpus=2) for number in range(4)), gpus=4) == 200


def test_the_longest_remaining_path_starts_first():
    # 3 + 3 beside 6 end at 6; begun with the short ones, the long one would end at 3 + 6
    assert takes(step("a", 3), step("b", 3), step("long", 6), gpus=2) == 6
    parent = step("parent", 4)
    assert takes(step("other", 5), step("child", 4, parent), gpus=1) == 13
    assert takes(step("other", 5), step("another", 5), step("fine-tuned", 6, parent), gpus=2) == 10


def test_a_stage_waits_for_its_inputs_and_not_for_others():
    shards = step("shards", 10, gpus=0)
    first, second = step("first", 20, shards), step("second", 30, shards)
    assert takes(step("table", 5, first, second, gpus=0), gpus=2) == 45
    assert takes(step("table", 5, first, second, gpus=0), gpus=1) == 65


def test_cpus_limit_it_too():
    assert takes(step("a", 10, gpus=0), step("b", 10, gpus=0), gpus=0, cpus=1) == 20


def test_cached_stages_take_neither_time_nor_resources():
    cached = step("cached", 1000, gpus=64)
    graph = Graph([step("next", 7, cached)])
    (to_run,) = graph.targets
    assert makespan(graph, {to_run: 7}, Resources(cpus=1, gpus=1)) == 7
    assert makespan(graph, {}, Resources(cpus=1, gpus=0)) == 0


def test_a_stage_that_could_never_start_is_refused():
    with pytest.raises(PipelineError, match="asks for 8 GPUs, but there are 4 in all"):
        takes(step("train", 1, gpus=8), gpus=4)


def test_the_remaining_time_is_that_of_the_longest_path():
    shards = step("shards", 1)
    graph = Graph([step("table", 5, step("short", 2, shards), step("long", 9, shards))])
    left = seconds_to_the_end(graph, seconds_of(graph))
    assert {node.address.removeprefix("step/"): left[node.id] for node in graph.nodes.values()} == {
        "shards": 15, "short": 7, "long": 14, "table": 5,
    }  # fmt: skip
