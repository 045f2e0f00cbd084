"""`ssdpipe doctor --cluster`: the whole command on a local session, and its judgement of planted faults."""

from __future__ import annotations

import json
from dataclasses import replace
from math import nan
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from experiments.cli.doctor.cluster import _unchanged
from experiments.cli.doctor.finding import Finding
from experiments.cli.doctor.group_findings import group_findings
from experiments.cli.doctor.node_findings import node_findings
from experiments.cli.main import app
from pipeline.errors import PipelineError
from pipeline.folder import Folder
from pipeline.ray_backend.each_node import ClusterNode
from pipeline.ray_backend.node_survey import Facts, SurveyedNode
from stages.training.selfcheck.group import GroupReport
from stages.training.selfcheck.reduction import Reduction

FACTS = Facts(
    host="gpu1",
    versions={"python": "3.11.7", "ray": "2.60.0", "torch": "2.15.0"},
    commit="",
    code="0123456789ab",
    code_error="",
    store_error="",
    data_errors=("",),
    interfaces={"eth0": ["10.0.0.1"]},
    chosen={},
    gpus=("H100",) * 8,
    gpu_error="",
    drivers=(),
    topology=(),
)
REPORT = GroupReport(
    backend="nccl",
    network="SSD300 of the paper",
    batch_size=32,
    workers=({"address": "10.0.0.1", "device": "H100"}, {"address": "10.0.0.2", "device": "H100"}),
    reduction=Reduction(wrong=(), bytes=2**28, seconds=0.01, workers=2),
    losses=(30.0, 29.0),
    losses_alone=(30.0001, 29.0),
    rate=190.0,
    rate_alone=100.0,
)


def surveyed(address: str, *, skew: float = 0.0, answers: bool = True, **facts: Any) -> SurveyedNode:
    """A node of eight GPUs; the first one is the head."""
    node = ClusterNode(id=address, address=address, cpus=64, gpus=8, is_head=address == "10.0.0.1")
    found = replace(FACTS, **({"interfaces": {"eth0": [address]}} | facts)) if answers else None
    return SurveyedNode(node=node, facts=found, skew=skew, skew_error=0.01)


def judged(*nodes: SurveyedNode) -> dict[str, Finding]:
    return {each.name: each for each in node_findings(nodes, ["/data/voc"])}


def problems(*nodes: SurveyedNode) -> set[str]:
    return {name for name, each in judged(*nodes).items() if each.state == "problem"}


@pytest.mark.slow
@pytest.mark.usefixtures("ray_session")
def test_the_nodes_answer_and_two_workers_compute_what_one_does(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "images").mkdir()
    (tmp_path / "images/a.jpg").touch()
    places = ["--store", str(tmp_path / "store"), "--data", str(tmp_path / "images"), "--out", str(tmp_path / "report")]
    done = CliRunner().invoke(app, ["doctor", "--cluster", "--workers", "2", *places], env={"COLUMNS": "80"})
    assert done.exit_code == 0, done.output
    assert [line for line in done.stdout.splitlines() if len(line) > 80 and " " in line[21:]] == []  # no path is broken
    document = json.loads((tmp_path / "report").read_text())
    found = {each["name"]: each for each in document["checks"]}
    assert found["node store"]["state"] == found["node data"]["state"] == found["node code"]["state"] == "ok"
    assert found["all-reduce"]["state"] == found["losses"]["state"] == "ok"
    assert len(found["all-reduce"]["facts"]["workers"]) == 2
    assert found["losses"]["facts"]["difference"] <= 1e-5
    assert found["speed"]["facts"]["rate_alone"] > 0
    assert abs(found["clocks"]["facts"]["skew"][found["nodes"]["facts"]["nodes"][0]["node"]["address"]]) < 1
    assert document["libraries"]["torch"]
    assert not (tmp_path / "store").exists()


def test_options_of_the_cluster_need_it(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="--workers belongs to `ssdpipe doctor --cluster`: add --cluster"):
        CliRunner().invoke(app, ["doctor", "--workers", "2"], catch_exceptions=False)


def test_equal_nodes_are_ready_and_their_table_fits_80_columns() -> None:
    found = judged(surveyed("10.0.0.1"), surveyed("10.0.0.2"))
    assert {each.state for each in found.values()} == {"ok"}
    assert found["node GPUs"].text == "16 x H100"
    assert len(found["nodes"].table) == 3
    assert sum(max(map(len, column)) + 2 for column in zip(*found["nodes"].table, strict=True)) <= 80


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("node code", {"code_error": "the code on node gpu2 differs from the driver's in ssd_core.training.loss"}),
        ("node store", {"store_error": "No such file or directory"}),
        ("node data", {"data_errors": ("it lacks JPEGImages",)}),
        ("node GPUs", {"gpus": ("H100",) * 7}),
        ("network", {"interfaces": {"eth0": ["192.168.7.7"]}}),
        ("clocks", {"skew": -40.0}),
        ("nodes", {"answers": False}),
    ],
)
def test_each_fault_of_a_node_is_one_problem_with_the_node_and_a_remedy(name: str, facts: dict[str, Any]) -> None:
    nodes = surveyed("10.0.0.1"), surveyed("10.0.0.2", **facts)
    assert problems(*nodes) == {name}
    found = judged(*nodes)[name]
    assert "10.0.0.2" in found.text + found.remedy
    assert "10.0.0.1" not in found.text
    assert found.remedy


def test_a_node_without_cpus_needs_no_data() -> None:
    other = surveyed("10.0.0.2", data_errors=("it does not exist",))
    assert problems(surveyed("10.0.0.1"), replace(other, node=replace(other.node, cpus=0))) == set()


def test_several_interfaces_are_named_with_the_one_in_use() -> None:
    both = {"eth0": ["10.0.0.1"], "ib0": ["10.1.0.1"]}
    found = judged(surveyed("10.0.0.1", interfaces=both))["network"]
    assert (found.state, found.text) == ("note", "10.0.0.1 uses eth0; it has eth0 (10.0.0.1), ib0 (10.1.0.1)")
    assert "NCCL_SOCKET_IFNAME and GLOO_SOCKET_IFNAME" in found.remedy
    chosen = judged(surveyed("10.0.0.1", interfaces=both, chosen={"NCCL_SOCKET_IFNAME": "ib0"}))["network"]
    assert chosen.text.startswith("10.0.0.1 uses ib0")


def test_a_skew_counts_beyond_what_its_measurement_may_err() -> None:
    late = replace(surveyed("10.0.0.2", skew=40.0), skew_error=39.5)
    assert judged(surveyed("10.0.0.1"), late)["clocks"].state == "ok"


def test_a_sound_group_is_reported_with_bandwidth_and_efficiency() -> None:
    reduction, losses, speed = group_findings(REPORT)
    assert [each.state for each in (reduction, losses, speed)] == ["ok"] * 3
    assert "256 MiB take 10.0 ms, 26.84 GB/s" in reduction.text
    assert "efficiency 95%" in speed.text


@pytest.mark.parametrize("losses", [(nan, 29.0), (30.0, nan)])
def test_a_loss_that_is_no_number_is_a_problem_at_any_step(losses: tuple[float, float]) -> None:
    _, finding, _ = group_findings(replace(REPORT, losses=losses))
    assert finding.state == "problem"


def test_a_store_that_another_command_fills_during_the_check_is_kept(tmp_path: Path) -> None:
    with _unchanged(Folder(str(tmp_path / "empty"))) as _:
        (tmp_path / "empty").mkdir()
    assert not (tmp_path / "empty").exists()
    with _unchanged(Folder(str(tmp_path / "filled"))):
        Folder(str(tmp_path / "filled")).write_bytes("result", b"")
    assert (tmp_path / "filled/result").exists()


def test_a_wrong_sum_other_losses_and_a_slow_group_are_distinct_findings() -> None:
    wrong = replace(REPORT, reduction=replace(REPORT.reduction, wrong=(1,)), losses_alone=(30.001, 29.0), rate=80.0)
    reduction, losses, speed = group_findings(wrong)
    assert [each.state for each in (reduction, losses, speed)] == ["problem", "problem", "note"]
    assert "wrong on workers 1 on 10.0.0.2" in reduction.text
    assert "rounding is within 1e-05" in losses.text
    assert speed.remedy
