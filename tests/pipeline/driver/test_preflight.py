from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipeline.driver.preflight import check_resources, check_store
from pipeline.errors import PipelineError
from pipeline.folder import Folder
from pipeline.planning.graph import Graph, Node
from pipeline.ray_backend import session as ray_session
from pipeline.stage import Context, Resources, Stage, execution


@dataclass(frozen=True, kw_only=True)
class Asks(Stage):
    cpus: float = execution(1)
    gpus: float = execution(0)
    nested: bool = execution(False)
    workers: int = execution(1)
    least_workers: int = execution(0)

    @property
    def resources(self) -> Resources:
        return Resources(
            cpus=self.cpus,
            gpus=self.gpus,
            nested=self.nested,
            workers=self.workers,
            least_workers=self.least_workers,
        )

    def run(self, ctx: Context) -> None: ...


def nodes(**wanted: Any) -> list[Node]:
    return list(Graph([Asks(**wanted)]).nodes.values())


def test_eight_gpus_are_refused_where_there_are_four_and_the_message_says_what_works():
    with pytest.raises(PipelineError, match="asks asks for 8 GPUs, but there are 4") as refused:
        check_resources(nodes(gpus=8), Resources(cpus=64, gpus=4))
    assert "--gpus 4" in str(refused.value)
    assert refused.value.exit_code == 2


def test_gpus_are_refused_on_a_machine_without_any_and_the_cpu_is_offered():
    with pytest.raises(PipelineError, match=r"--gpus 0 \(trains on CPU\) works"):
        check_resources(nodes(gpus=1), Resources(cpus=2))


def test_workers_of_a_nested_stage_may_spread_over_nodes_and_those_of_another_may_not():
    total, cluster = Resources(cpus=32, gpus=8), (Resources(cpus=16, gpus=4),) * 2
    check_resources(nodes(cpus=8, gpus=8, nested=True, workers=8), total, cluster)
    with pytest.raises(PipelineError, match=r"asks for 1 x \{1 CPU, 8 GPU\}, but there is room for 0"):
        check_resources(nodes(gpus=8), total, cluster)


def test_workers_that_fit_no_node_are_refused_with_the_numbers_although_their_sum_fits():
    total, cluster = Resources(cpus=16, gpus=4), (Resources(cpus=4, gpus=1),) * 4
    with pytest.raises(PipelineError) as refused:
        check_resources(nodes(cpus=16, gpus=2, nested=True, workers=2), total, cluster)
    assert (
        "asks asks for 2 x {8 CPU, 1 GPU}, but there is room for 0: each worker must fit on one node, and the nodes "
        "have 4 x {4 CPU, 1 GPU}. Ask for fewer CPUs per worker with --cpus-per-worker"
    ) in str(refused.value)
    check_resources(nodes(cpus=8, gpus=2, nested=True, workers=2), total, cluster)


def test_a_training_that_can_do_with_fewer_workers_is_refused_only_below_its_least():
    total, cluster = Resources(cpus=8, gpus=2), (Resources(cpus=4, gpus=1),) * 2
    check_resources(nodes(cpus=16, gpus=4, nested=True, workers=4, least_workers=2), total, cluster)
    with pytest.raises(PipelineError, match="asks for 3 GPUs, but there are 2"):
        check_resources(nodes(cpus=16, gpus=4, nested=True, workers=4, least_workers=3), total, cluster)


def test_a_store_below_a_file_cannot_be_written(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(PipelineError, match="cannot be written"):
        check_store(Folder(str(tmp_path / "file/store")))


def test_a_store_on_a_nearly_full_disk_is_refused_and_a_good_one_keeps_no_trace(tmp_path: Path):
    with pytest.raises(PipelineError, match=r"GiB free, and 1073741824\.00 GiB"):
        check_store(Folder(str(tmp_path)), least_free_bytes=2**60)
    check_store(Folder(str(tmp_path)), least_free_bytes=1)
    assert list(tmp_path.iterdir()) == []


def test_gpus_of_a_local_session_are_those_that_cuda_may_see(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    for visible, count in (("", 0), ("-1", 0), ("0", 1), ("2,5,7", 3)):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
        capacity = ray_session.local_capacity()
        assert capacity is not None
        assert capacity.gpus == count


def test_a_named_cluster_has_to_be_asked(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    assert ray_session.local_capacity() is None
