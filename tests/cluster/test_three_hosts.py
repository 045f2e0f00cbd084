"""Three hosts with own addresses, Ray behind a token, one shared folder: `make cluster-test`.

A training of two workers is disturbed in the ways in which hosts fail. Batches depend on position alone, so that its
weights are bit for bit those of the undisturbed one. One after the other: each test leaves the cluster whole.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cluster.hosts import Host, Hosts, until, why_impossible
from tests.cluster.ray_hosts import RayHosts, committed, finish

STEPS = 500
TRAIN = ("ssdpipe", "train", "ssd-tiny", "--gpus", "0", "--workers", "2")
SETTINGS = ("-s", f"schedule.iterations={STEPS}", "-s", "schedule.drops=", "-s", "keep_every=50")
REASON = why_impossible()
pytestmark = [pytest.mark.cluster, pytest.mark.skipif(bool(REASON), reason=f"no hosts in namespaces: {REASON}")]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RayHosts]:
    folder = tmp_path_factory.mktemp("cluster")
    with Hosts(3, folder / "hosts") as hosts:
        yield RayHosts(hosts, folder)


@pytest.fixture(scope="module")
def undisturbed(cluster: RayHosts) -> Path:
    """The store of a run that nothing has disturbed."""
    store, log = cluster.folder / "undisturbed", cluster.folder / "undisturbed.log"
    finish(cluster.command(store, log, *TRAIN, *SETTINGS), log)
    return store


def test_sharding_training_detection_and_evaluation_run_on_several_hosts(undisturbed: Path, cluster: RayHosts) -> None:
    output = (cluster.folder / "undisturbed.log").read_text()
    assert committed(undisturbed, "evaluate")["files"], output
    where = {committed(undisturbed, kind)["provenance"]["machine"]["host"] for kind in ("train", "detect", "evaluate")}
    assert where <= {"h1", "h2", "h3"}


def test_a_job_that_is_submitted_finds_all_results_in_the_shared_store(undisturbed: Path, cluster: RayHosts) -> None:
    log = cluster.folder / "job.log"
    command = "ray", "job", "submit", f"--address=http://{cluster.hosts[0].address}:8265", "--"
    own = "env", f"SSDPIPE_STORE={undisturbed}"
    assert "cached" in finish(cluster.command(undisturbed, log, *command, *own, *TRAIN, *SETTINGS), log)


def test_the_cluster_is_found_sound_by_its_self_check(cluster: RayHosts, tmp_path: Path) -> None:
    log, report, data = tmp_path / "log", tmp_path / "cluster.json", tmp_path / "data"
    (data / "Annotations").mkdir(parents=True)
    check = "ssdpipe", "doctor", "--cluster", "--workers", "2", "--data", str(data), "--out", str(report)
    finish(cluster.command(tmp_path / "store", log, *check), log)
    checks = {each["name"]: each for each in json.loads(report.read_text(encoding="utf-8"))["checks"]}
    nodes = checks["nodes"]["facts"]["nodes"]
    assert [node["node"]["address"] for node in nodes] == [host.address for host in cluster.hosts]
    assert [node["facts"]["host"] for node in nodes] == ["h1", "h2", "h3"]
    assert [checks[name]["state"] for name in ("node code", "node store", "node data", "losses")] == ["ok"] * 4
    workers = {worker["address"] for worker in checks["all-reduce"]["facts"]["workers"]}
    assert len(workers) == 2, log.read_text(encoding="utf-8")
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize("failure", [Host.power_off, Host.cut], ids=["powered off", "cut off"])
def test_a_run_that_loses_a_host_ends_well_with_the_same_weights(
    failure: Callable[[Host], None], undisturbed: Path, cluster: RayHosts, tmp_path: Path
) -> None:
    log, lost = tmp_path / "log", cluster.hosts[2]
    run = cluster.command(tmp_path / "store", log, *TRAIN, *SETTINGS)
    until(lambda: in_the_middle(log), "a step between the first and the last", 300)
    failure(lost)
    finish(run, log)
    again(cluster, lost)
    assert committed(tmp_path / "store", "train")["digest"] == committed(undisturbed, "train")["digest"], log.read_text(
        encoding="utf-8"
    )


def in_the_middle(log: Path) -> bool:
    steps = re.findall(rf"(\d+) of {STEPS}", log.read_text(encoding="utf-8", errors="replace"))
    return any(0 < int(step) < STEPS for step in steps)


def again(cluster: RayHosts, host: Host) -> None:
    """Bring a host back, with a Ray that has just started."""
    if host.first is not None and host.first.poll() is None:
        host.power_off()
    subprocess.run(["ip", "link", "set", host.link, "up"], check=True)
    host.boot()
    cluster.join(host)
