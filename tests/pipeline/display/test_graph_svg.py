"""The graph as a picture: positions checked by hand, and a drawing that any XML parser accepts."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any
from xml.etree import ElementTree

import pytest

from pipeline.display.graph_layout import layout_of, levels, needed_edges
from pipeline.display.graph_svg import graph_svg
from pipeline.planning.graph import STATE_COLOURS, Graph
from pipeline.stage import Stage

SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True, kw_only=True)
class Shard(Stage):
    split: str

    def run(self, ctx: Any) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Train(Stage):
    data: Shard
    seed: int

    def run(self, ctx: Any) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Detect(Stage):
    weights: Train
    data: Shard

    def run(self, ctx: Any) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Table(Stage):
    detections: tuple[Detect, ...]
    trainings: tuple[Train, ...]

    def run(self, ctx: Any) -> None: ...


def table(trainings: int) -> Graph:
    train, test = Shard(split="train", variant="train"), Shard(split="test", variant="<test>")
    trained = tuple(Train(data=train, seed=seed, variant=f"seed{seed}") for seed in range(trainings))
    detected = tuple(Detect(weights=weights, data=test, variant=weights.variant) for weights in trained)
    return Graph([Table(detections=detected, trainings=trained)])


def boxes(picture: str) -> list[tuple[float, float, float, float]]:
    """(x1, y1, x2, y2) of the boxes of the stages."""
    found = [group.find(f"{SVG}rect") for group in ElementTree.fromstring(picture).iter(f"{SVG}g")]
    sides = [[float(box.attrib[name]) for name in ("x", "y", "width", "height")] for box in found if box is not None]
    return [(x, y, x + width, y + height) for x, y, width, height in sides]


def test_edges_that_a_longer_path_implies_are_omitted():
    graph = table(2)
    names = {node.id: node.address for node in graph.nodes.values()}
    assert sorted((names[above], names[below]) for above, below in needed_edges(graph)) == [
        ("detect/seed0", "table"),  # but not train/seed0 -> table
        ("detect/seed1", "table"),
        ("shard/<test>", "detect/seed0"),
        ("shard/<test>", "detect/seed1"),
        ("shard/train", "train/seed0"),
        ("shard/train", "train/seed1"),
        ("train/seed0", "detect/seed0"),
        ("train/seed1", "detect/seed1"),
    ]


def test_a_stage_stands_right_of_all_its_inputs():
    graph = table(1)
    names = {node.id: node.address for node in graph.nodes.values()}
    assert {names[node_id]: level for node_id, level in levels(graph).items()} == {
        "shard/train": 0, "shard/<test>": 0, "train/seed0": 1, "detect/seed0": 2, "table": 3,
    }  # fmt: skip


def test_a_training_and_its_detections_are_drawn_level_and_a_table_in_the_middle():
    graph = table(12)
    heights = {graph.nodes[p.node_id].address: y for p, y in layout_of(graph).rows.items() if not p.is_bend}
    for seed in range(12):
        assert heights[f"train/seed{seed}"] == pytest.approx(heights[f"detect/seed{seed}"])
    assert heights["table"] == pytest.approx((heights["detect/seed0"] + heights["detect/seed11"]) / 2)


def test_data_that_all_detections_read_pass_the_trainings_as_one_line():
    layout = layout_of(table(12))
    bends = [point for column in layout.columns for point in column if point.is_bend]
    assert len(bends) == 1
    assert sum(start == bends[0] for start, _ in layout.lines) == 12


def test_trainings_keep_their_order_from_column_to_column():
    graph = table(12)
    columns = [
        [graph.nodes[p.node_id].stage.variant for p in column if not p.is_bend] for column in layout_of(graph).columns
    ]
    assert columns[1] == columns[2]


def test_the_picture_is_well_formed_and_shows_name_state_and_note_of_each_stage():
    graph = table(12)
    states = {node.address: "after" for node in graph.nodes.values()} | {"shard/<test>": "cached"}
    picture = graph_svg(graph, title="twelve & more", states=states, notes={"train/seed3": "about 8:12"})
    texts = [text.text for text in ElementTree.fromstring(picture).iter(f"{SVG}text")]
    assert {node.address for node in graph.nodes.values()} <= set(texts)
    assert {"twelve & more", "1 cached", "26 after", "12 train", "2 shard", "after · about 8:12"} <= set(texts)
    assert picture.count(f'style="fill: {STATE_COLOURS["cached"]}"') == 2  # the stage and the legend


def test_no_two_boxes_overlap_and_all_lie_inside_the_picture():
    picture = graph_svg(table(12), title="t", states={})
    root = ElementTree.fromstring(picture)
    found = boxes(picture)
    assert len(found) == 2 + 12 + 12 + 1
    for (x1, y1, x2, y2), (u1, v1, u2, v2) in combinations(found, 2):
        assert x2 <= u1 or u2 <= x1 or y2 <= v1 or v2 <= y1
    assert min(x for x, *_ in found) >= 0
    assert max(box[2] for box in found) <= float(root.attrib["width"])
    assert max(box[3] for box in found) <= float(root.attrib["height"])


def test_one_stage_alone_is_drawn():
    assert len(boxes(graph_svg(Graph([Shard(split="train")]), title="one", states={"shard": "run"}))) == 1


def test_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match="no stage to draw"):
        graph_svg(Graph([]), title="none", states={})
