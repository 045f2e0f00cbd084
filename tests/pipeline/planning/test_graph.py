"""Building, naming and drawing graphs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from pipeline.errors import PipelineError
from pipeline.planning.graph import Graph
from pipeline.stage import Stage


@dataclass(frozen=True, kw_only=True)
class Shard(Stage):
    split: str = "train"

    def run(self, ctx: Any) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Train(Stage):
    data: Shard
    seed: int = 0

    def run(self, ctx: Any) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Table(Stage):
    rows: tuple[Stage, ...]

    def run(self, ctx: Any) -> None: ...


def table() -> Graph:
    rows = tuple(Train(data=Shard(), seed=seed, variant=f"seed{seed}") for seed in range(3))
    return Graph([Table(rows=rows)])


def test_equal_stages_are_one_node_and_inputs_come_first():
    graph = table()
    assert [node.address for node in graph.nodes.values()] == [
        "shard", "train/seed0", "train/seed1", "train/seed2", "table",
    ]  # fmt: skip


def test_the_first_of_equal_stages_names_the_node_and_later_names_find_it_too():
    graph = Graph([Shard(variant="voc07"), Shard(variant="again"), Shard(variant="voc07")])
    (node,) = graph.nodes.values()
    assert (node.address, node.aliases) == ("shard/voc07", ("shard/again",))
    assert graph.find("shard/again") is node


def test_different_stages_with_one_address_get_distinct_addresses():
    graph = Graph([Shard(split="train"), Shard(split="test")])
    first, second = graph.nodes.values()
    assert first.address == "shard"
    assert second.address == f"shard~{second.id[:6]}"


def test_a_stage_is_found_by_address_node_id_or_key():
    graph = table()
    node = graph.find("train/seed1")
    assert graph.find(node.id[:12]) is node
    assert graph.find("k1", {node.id: "k123"}) is node


def test_an_unknown_stage_is_refused_with_a_near_miss():
    with pytest.raises(PipelineError, match=r"no stage 'trian/seed1'.*did you mean 'train/seed1'"):
        table().find("trian/seed1")


def test_an_ambiguous_start_is_refused_with_what_it_could_mean():
    graph = table()
    with pytest.raises(PipelineError, match="start of 2 keys: train/seed0, train/seed1"):
        graph.find("k", dict.fromkeys((graph.find("train/seed0").id, graph.find("train/seed1").id), "k1"))


def test_below_and_heights_follow_the_edges():
    graph = table()
    shard = graph.find("shard").id
    assert [graph.nodes[below].address for below in graph.below(shard)] == [
        "train/seed0", "train/seed1", "train/seed2", "table",
    ]  # fmt: skip
    assert graph.heights()[shard] == 3


def test_a_drawing_has_every_node_and_edge_once_and_colours_states():
    drawing = table().mermaid({"shard": "cached", "train/seed0": "run"})
    assert drawing.splitlines()[:3] == ["flowchart LR", '  n0["shard"]:::cached', '  n1["train/seed0"]:::run']
    assert drawing.count("-->") == 6
    assert "classDef cached" in drawing
