"""Layout of a drawn graph: one column for each distance from the inputs, and few edge crossings.

An edge that a longer path implies is omitted. An edge across several columns bends once in each of them; all edges
that leave a node share their bends, so a data set that many stages read is one line up to their column.

Tested in tests/pipeline/display/test_graph_svg.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import mean

from pipeline.planning.graph import Graph

SWEEPS = 8
"""Ordering passes to the right and back; more change nothing in graphs of a hundred stages."""

BEND_ROOM = 0.6
"""Height of a bend, relative to that of a node."""


@dataclass(frozen=True)
class Point:
    """A node, or a bend of the edges that leave a node."""

    node_id: str
    column: int
    is_bend: bool = False


@dataclass(frozen=True)
class Layout:
    columns: tuple[tuple[Point, ...], ...]
    """Columns from the inputs to the targets, each from top to bottom."""

    rows: Mapping[Point, float]
    """Vertical position of each point, from 0 at the top; nodes of a column are at least 1 apart."""

    lines: tuple[tuple[Point, Point], ...]
    """Line segments between neighbouring columns."""


def layout_of(graph: Graph) -> Layout:
    """Columns, rows and lines of a graph."""
    lines = _lines(graph)
    columns = _columns(graph, lines)
    neighbours = _Neighbours(lines)
    for _ in range(SWEEPS):
        for index in [*range(1, len(columns)), *range(len(columns) - 2, -1, -1)]:
            columns[index] = _ordered(columns[index], columns, graph, neighbours)
    return Layout(tuple(map(tuple, columns)), _rows(columns, neighbours), lines)


def levels(graph: Graph) -> dict[str, int]:
    """{node id: number of edges on the longest path that leads to it}."""
    depths: dict[str, int] = {}
    for node in graph.nodes.values():
        depths[node.id] = max((depths[above] + 1 for above in node.inputs.values()), default=0)
    return depths


def needed_edges(graph: Graph) -> list[tuple[str, str]]:
    """Edges (from, to) that no longer path implies: the transitive reduction."""
    reached: dict[str, set[str]] = {}
    kept = []
    for node in graph.nodes.values():
        inputs = list(dict.fromkeys(node.inputs.values()))
        beyond = set().union(*(reached[above] for above in inputs))
        reached[node.id] = beyond.union(inputs)
        kept += [(above, node.id) for above in inputs if above not in beyond]
    return kept


class _Neighbours:
    """Points that each point is connected with, in either direction."""

    def __init__(self, lines: Iterable[tuple[Point, Point]]) -> None:
        self._of: dict[Point, list[Point]] = defaultdict(list)
        for start, end in lines:
            self._of[start].append(end)
            self._of[end].append(start)

    def height(self, point: Point, heights: Mapping[Point, float], default: float) -> float:
        """Mean height of the neighbours with known heights that have the fewest neighbours: chains become straight."""
        known = [other for other in self._of[point] if other in heights]
        if not known:
            return default
        fewest = min(len(self._of[other]) for other in known)
        return mean(heights[other] for other in known if len(self._of[other]) == fewest)


def _lines(graph: Graph) -> tuple[tuple[Point, Point], ...]:
    column = levels(graph)
    lines: dict[tuple[Point, Point], None] = {}
    for above, below in needed_edges(graph):
        bends = [Point(above, level, is_bend=True) for level in range(column[above] + 1, column[below])]
        path = [Point(above, column[above]), *bends, Point(below, column[below])]
        lines |= dict.fromkeys(pairwise(path))
    return tuple(lines)


def _columns(graph: Graph, lines: Iterable[tuple[Point, Point]]) -> list[list[Point]]:
    nodes = [Point(node_id, level) for node_id, level in levels(graph).items()]
    bends = dict.fromkeys(point for line in lines for point in line if point.is_bend)
    columns: dict[int, list[Point]] = defaultdict(list)
    for point in [*nodes, *bends]:
        columns[point.column].append(point)
    return [columns[index] for index in sorted(columns)]


def _ordered(
    column: Sequence[Point], columns: Sequence[Sequence[Point]], graph: Graph, neighbours: _Neighbours
) -> list[Point]:
    """Order points by the mean height of their neighbours; stages of one class stay together."""
    heights = {point: place / len(points) for points in columns for place, point in enumerate(points)}
    own = {point: neighbours.height(point, heights, heights[point]) for point in column}
    groups: dict[object, list[float]] = defaultdict(list)
    for point in column:
        groups[_group(point, graph)].append(own[point])
    return sorted(column, key=lambda point: (mean(groups[_group(point, graph)]), str(_group(point, graph)), own[point]))


def _group(point: Point, graph: Graph) -> object:
    return point if point.is_bend else type(graph.nodes[point.node_id].stage)


def _rows(columns: Sequence[Sequence[Point]], neighbours: _Neighbours) -> dict[Point, float]:
    """Spread the tallest column evenly; place the others, outwards from there, near their neighbours."""
    tallest = max(range(len(columns)), key=lambda index: sum(_room(point) for point in columns[index]))
    heights = _spread(columns[tallest], [0.0] * len(columns[tallest]))
    for index in [*range(tallest + 1, len(columns)), *range(tallest - 1, -1, -1)]:
        wanted = [neighbours.height(point, heights, 0.0) for point in columns[index]]
        heights |= _spread(columns[index], wanted)
    top = min(heights.values())
    return {point: height - top for point, height in heights.items()}


def _spread(column: Sequence[Point], wanted: Sequence[float]) -> dict[Point, float]:
    """Non-overlapping heights in the given order: the mean of packing from the top and packing from the bottom."""
    gaps = [(_room(first) + _room(second)) / 2 for first, second in pairwise(column)]
    down, up = [wanted[0]], [wanted[-1]]
    for gap, height in zip(gaps, wanted[1:], strict=True):
        down.append(max(height, down[-1] + gap))
    for gap, height in zip(reversed(gaps), reversed(wanted[:-1]), strict=True):
        up.append(min(height, up[-1] - gap))
    return {point: (low + high) / 2 for point, low, high in zip(column, down, reversed(up), strict=True)}


def _room(point: Point) -> float:
    return BEND_ROOM if point.is_bend else 1.0
