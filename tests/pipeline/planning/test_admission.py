"""Which stages run at once, and which could never run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from pipeline.errors import PipelineError
from pipeline.planning.admission import Budget, refuse_oversized
from pipeline.planning.graph import Graph
from pipeline.stage import Resources, Stage, execution


@dataclass(frozen=True, kw_only=True)
class Wide(Stage):
    cpus: float = execution(1)
    gpus: float = execution(0)

    @property
    def resources(self) -> Resources:
        return Resources(cpus=self.cpus, gpus=self.gpus)

    def run(self, ctx: Any) -> None: ...


def test_a_stage_is_admitted_while_its_cpus_and_gpus_are_left() -> None:
    budget = Budget(Resources(cpus=4, gpus=1))
    assert budget.take(Resources(cpus=3, gpus=1))
    assert not budget.take(Resources(cpus=2, gpus=0))
    assert not budget.take(Resources(cpus=1, gpus=1))
    assert budget.take(Resources(cpus=1, gpus=0))


def test_what_is_refused_takes_nothing_and_what_is_given_back_can_be_taken_again() -> None:
    budget = Budget(Resources(cpus=2, gpus=1))
    assert not budget.take(Resources(cpus=1, gpus=2))
    whole = Resources(cpus=2, gpus=1)
    assert budget.take(whole)
    budget.give_back(whole)
    assert budget.take(whole)


def test_ten_tenths_of_a_gpu_are_one() -> None:
    budget = Budget(Resources(cpus=10, gpus=1))
    assert [budget.take(Resources(cpus=1, gpus=0.1)) for _ in range(11)] == [True] * 10 + [False]


@pytest.mark.parametrize(("name", "stage"), [("GPUs", Wide(gpus=3)), ("CPUs", Wide(cpus=3))])
def test_a_stage_that_could_never_start_is_refused_with_the_numbers(name: str, stage: Wide) -> None:
    graph = Graph([stage])
    with pytest.raises(PipelineError, match=rf"^wide asks for 3 {name}, but there are 2 in all: ask for at most 2"):
        refuse_oversized(graph.nodes.values(), Resources(cpus=2, gpus=2))
    refuse_oversized(graph.nodes.values(), Resources(cpus=3, gpus=3))


def test_a_request_is_fitted_to_the_budget_down_to_the_workers_that_it_needs() -> None:
    budget = Budget(Resources(cpus=32, gpus=4))
    elastic = Resources(cpus=64, gpus=8, nested=True, workers=8, least_workers=2)
    assert budget.fitted(elastic) == replace(elastic, cpus=32, gpus=4, workers=4)
    assert Budget(Resources(cpus=8, gpus=1)).fitted(elastic).workers == 2
    fixed = Resources(cpus=64, gpus=8, nested=True, workers=8)
    assert budget.fitted(fixed) == fixed


def test_a_budget_grows_with_nodes_that_join_and_keeps_what_is_taken() -> None:
    budget = Budget(Resources(cpus=2, gpus=0))
    assert budget.take(Resources(cpus=2))
    budget.grow(Resources(cpus=3, gpus=1))
    assert not budget.take(Resources(cpus=2))
    assert budget.take(Resources(cpus=1, gpus=1))
    budget.grow(Resources(cpus=1, gpus=0))
    assert budget.total == Resources(cpus=3, gpus=1)


def test_as_many_nested_stages_start_as_there_are_controllers() -> None:
    budget = Budget(Resources(cpus=8), controllers=1)
    nested = Resources(cpus=1, nested=True)
    assert budget.take(nested)
    assert not budget.take(nested)
    assert budget.take(Resources(cpus=1))
    budget.give_back(nested)
    assert budget.take(nested)


def test_tasks_of_a_stage_keep_to_what_it_took_where_the_budget_is_a_part_of_the_cluster() -> None:
    budget = Budget(Resources(cpus=16, gpus=2), capacity=Resources(cpus=64, gpus=8))
    detection = Resources(cpus=2, gpus=2, nested=True)
    assert budget.take(detection)
    assert budget.share(budget.extended(detection)) == Resources(cpus=2, gpus=2)
    sharding = Resources(nested=True, spreads=True)
    assert budget.take(sharding)
    extended = budget.extended(sharding)
    assert budget.share(extended) == Resources(cpus=7)  # its own, and half of the other 13
    assert budget.take(Resources(cpus=7))
    assert not budget.take(Resources(cpus=1))
    budget.give_back(extended)
    assert budget.take(Resources(cpus=7))


def test_on_a_whole_cluster_tasks_take_any_cpu_and_only_the_gpus_of_their_stage() -> None:
    budget = Budget(Resources(cpus=64, gpus=2), capacity=Resources(cpus=64, gpus=8))
    assert budget.share(Resources(cpus=2, gpus=2, nested=True)) == Resources(cpus=64, gpus=2)
