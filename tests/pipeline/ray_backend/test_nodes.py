"""The wait for room, on nodes and a clock of the test; the nodes of a real cluster in tests/stages/training."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.errors import PipelineError
from pipeline.ray_backend.nodes import Node, await_room, off_head
from pipeline.ray_backend.session import Cluster
from pipeline.stage import Resources


def node(name: str, free: tuple[int, int], total: tuple[int, int]) -> Node:
    return Node(
        name=name,
        free=Resources(cpus=free[0], gpus=free[1]),
        total=Resources(cpus=total[0], gpus=total[1]),
    )


class Waiting:
    """Nodes by the second from which they are there."""

    def __init__(self, *changes: tuple[float, list[Node]]) -> None:
        self.changes = changes
        self.now = 0.0
        self.messages: list[str] = []

    def nodes(self) -> list[Node]:
        return [nodes for since, nodes in self.changes if since <= self.now][-1]

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def room(self, workers: int, least: int = 0, limit: float = 60, stopped_at: float = 1e9) -> int:
        wanted = Resources(cpus=8 * workers, gpus=workers, workers=workers, least_workers=least, nested=True)
        return await_room(
            wanted,
            self.messages.append,
            limit=limit,
            stopped=lambda: self.now >= stopped_at,
            find=self.nodes,
            clock=lambda: self.now,
            sleep=self.sleep,
        )


IDLE = node("10.0.0.1", (8, 1), (8, 1))
BUSY = node("10.0.0.2", (0, 0), (8, 1))


def test_a_small_stage_runs_beside_the_head_where_there_is_room():
    head, other = replace(IDLE, is_head=True), node("10.0.0.2", (4, 0), (8, 1))
    assert off_head(Resources(cpus=1), [head, other, BUSY]) == other
    assert off_head(Resources(cpus=5), [head, other, BUSY]) is None
    assert off_head(Resources(cpus=1), [head]) is None


def test_a_group_that_fits_starts_at_once():
    assert Waiting((0, [IDLE, IDLE])).room(2) == 2


def test_a_busy_cluster_is_waited_for_and_then_left_to_the_queue_of_ray_and_says_for_what():
    waiting = Waiting((0, [IDLE, BUSY]))
    assert waiting.room(2, limit=5) == 2
    assert waiting.now == 10
    assert waiting.messages[0] == (
        "waiting for 2 x {8 CPU, 1 GPU}; free: 8 CPU, 1 GPU on 10.0.0.1; 0 CPU, 0 GPU on 10.0.0.2"
    )


def test_a_stop_ends_the_wait():
    waiting = Waiting((0, [IDLE]))
    assert waiting.room(2, stopped_at=3) == 0
    assert waiting.now == 3


def test_lost_nodes_are_waited_for_until_the_limit():
    with pytest.raises(PipelineError, match=r"have room for 1 workers, and none came back within 60 s: add nodes, or"):
        Waiting((0, [IDLE])).room(2, limit=60)
    assert Waiting((0, [IDLE]), (59, [IDLE, IDLE])).room(2, limit=60) == 2


def test_fewer_workers_start_where_they_suffice_at_once_if_no_more_can_come():
    waiting = Waiting((0, [IDLE]))
    assert waiting.room(4, least=1) == 1
    assert waiting.now == 0


def test_fewer_workers_wait_a_little_for_nodes_that_are_busy():
    waiting = Waiting((0, [IDLE, BUSY]))
    assert waiting.room(2, least=1) == 1
    assert waiting.now == 10


def test_a_worker_never_straddles_two_nodes():
    halves = [node("a", (4, 1), (4, 1)), node("b", (4, 1), (4, 1))]
    with pytest.raises(PipelineError, match="room for 0 workers"):
        Waiting((0, halves)).room(1, limit=5)


def test_a_cluster_that_scales_from_zero_can_grow_and_lost_nodes_of_it_are_waited_for():
    assert Cluster(total=Resources(cpus=64, gpus=8), nodes=(Resources(cpus=4),)).can_grow
    assert not Cluster(total=Resources(cpus=4), nodes=(Resources(cpus=4),)).can_grow
    waiting = Waiting((0, [node("head", (4, 0), (4, 0))]), (90, [node("head", (4, 0), (4, 0)), IDLE]))
    assert waiting.room(1, limit=600) == 1
    assert waiting.messages[0] == "waiting for 1 x {8 CPU, 1 GPU}; free: 4 CPU, 0 GPU on head"
