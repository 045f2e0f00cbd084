from __future__ import annotations

import json
import socket
from dataclasses import asdict, replace

import pytest

from pipeline.folder import Folder
from pipeline.store.lease import Leases
from pipeline.store.process import Process, RayCluster, join, this_machine

THIS = Process.this()


@pytest.fixture
def folder(tmp_path):
    return Folder(str(tmp_path))


def write(folder: Folder, process: Process) -> None:
    folder.write_bytes("k.json", json.dumps(asdict(process)).encode())


def test_a_host_of_the_same_name_is_another_machine_whose_processes_count_as_alive(folder):
    elsewhere = replace(THIS, pid=2**22 + 1, machine="another-boot/pid:[4026531836]")
    assert not elsewhere.is_here
    write(folder, elsewhere)
    leases = Leases(folder)
    assert leases.acquire("k") == elsewhere
    write(folder, replace(elsewhere, machine=this_machine()))
    assert leases.acquire("k") is None
    leases.close()


def test_a_record_of_an_earlier_version_is_compared_by_the_name_of_the_host():
    assert Process.from_json({"host": socket.gethostname(), "pid": 1, "started": 1.0}).is_here
    assert not Process.from_json({"host": "far-away", "pid": 1, "started": 1.0}).is_here


def test_a_driver_whose_end_the_common_cluster_has_seen_holds_no_lease(folder):
    far = replace(THIS, machine="far/away", job="cluster-a/01000000")
    write(folder, far)
    leases = Leases(folder)
    try:
        assert leases.acquire("k") == far
        for cluster, over in (("cluster-b", True), ("cluster-a", False)):
            join(RayCluster(cluster, "02000000", (lambda _: True) if over else (lambda _: False)))
            assert leases.acquire("k") == far
        join(RayCluster("cluster-a", "02000000", lambda job: job == "01000000"))
        assert leases.acquire("k") is None
        assert Process.this().job == "cluster-a/02000000"
    finally:
        join(None)
        leases.close()
