"""How long a graph takes on given CPUs and GPUs when the duration of each stage is known: list scheduling.

Among ready stages, the one with the longest remaining path starts first, as far as the budget allows.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from graphlib import TopologicalSorter

from pipeline.planning.admission import Budget, refuse_oversized
from pipeline.planning.graph import Graph
from pipeline.stage import Resources


def makespan(graph: Graph, seconds: Mapping[str, float], total: Resources) -> float:
    """Seconds from the start of the first stage to the end of the last.

    `seconds` {node id: seconds} holds the stages that run; all others are cached and take neither time nor resources.
    Raises PipelineError for a stage that requests more than `total`.
    """
    refuse_oversized([graph.nodes[node_id] for node_id in seconds], total)
    left = seconds_to_the_end(graph, seconds)
    order, budget, now = TopologicalSorter(graph.edges()), Budget(total), 0.0
    order.prepare()
    waiting: list[str] = []
    running: list[tuple[float, str]] = []
    while order.is_active():
        waiting = sorted([*waiting, *order.get_ready()], key=lambda node_id: -left[node_id])
        started = [node_id for node_id in waiting if budget.take(budget.fitted(_occupied(graph, node_id, seconds)))]
        waiting = [node_id for node_id in waiting if node_id not in started]
        for node_id in started:
            heapq.heappush(running, (now + seconds.get(node_id, 0.0), node_id))
        now, ended = heapq.heappop(running)
        budget.give_back(budget.fitted(_occupied(graph, ended, seconds)))
        order.done(ended)
    return now


def seconds_to_the_end(graph: Graph, seconds: Mapping[str, float]) -> dict[str, float]:
    """{node id: seconds of the longest path from its start to the end of a target}, a bound that no budget lowers."""
    below = dict.fromkeys(graph.nodes, 0.0)
    left: dict[str, float] = {}
    for node in reversed(graph.nodes.values()):
        left[node.id] = below[node.id] + seconds.get(node.id, 0.0)
        for above in node.inputs.values():
            below[above] = max(below[above], left[node.id])
    return left


def _occupied(graph: Graph, node_id: str, seconds: Mapping[str, float]) -> Resources:
    return graph.nodes[node_id].stage.resources if node_id in seconds else Resources(cpus=0)
