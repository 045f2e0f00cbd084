from __future__ import annotations

import time
from pathlib import Path

from pipeline.folder import Folder
from pipeline.ray_backend.nodes import Node
from pipeline.stage import Resources
from stages.training.elastic import resizing
from stages.training.elastic.resizing import Watch, watched

WANTED = Resources(cpus=32, gpus=4, workers=4, least_workers=1, nested=True)


class Cluster:
    """Free GPUs with 8 CPUs each on one node, and a clock."""

    def __init__(self) -> None:
        self.free, self.now = 0, 0.0
        self.leaving: set[str] = set()

    def watch(self, workers: int) -> Watch:
        return Watch(WANTED, workers, 30, find=self.nodes, leaving=lambda: set(self.leaving), clock=lambda: self.now)

    def nodes(self) -> list[Node]:
        room = Resources(cpus=8 * self.free, gpus=self.free)
        return [Node(name="a", free=room, total=room)]


def test_a_group_grows_when_room_for_more_workers_lasts():
    cluster = Cluster()
    watch = cluster.watch(workers=2)
    assert watch.reason() == ""
    cluster.free = 1
    assert watch.reason() == ""
    cluster.now = 29
    cluster.free = 0
    assert watch.reason() == ""
    cluster.free = 1
    cluster.now = 40
    assert watch.reason() == ""
    cluster.now = 70
    assert watch.reason() == "there is room for 1 more workers"


def test_a_whole_group_does_not_grow():
    cluster = Cluster()
    cluster.free = 3
    watch = cluster.watch(workers=4)
    assert watch.reason() == ""
    cluster.now = 100
    assert watch.reason() == ""


def test_a_node_that_is_drained_is_a_reason_at_once_and_only_once():
    cluster = Cluster()
    watch = cluster.watch(workers=4)
    cluster.leaving = {"b"}
    assert watch.reason() == "1 nodes are about to leave the cluster"
    assert cluster.watch(workers=4).reason() == ""


def test_a_reason_becomes_a_pause_of_the_group(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(resizing, "WATCH_SECONDS", 0.01)
    cluster = Cluster()
    with watched(cluster.watch(workers=4), Folder(str(tmp_path))):
        cluster.leaving = {"b"}
        deadline = time.monotonic() + 10
        while not (tmp_path / "pause").exists():
            assert time.monotonic() < deadline
