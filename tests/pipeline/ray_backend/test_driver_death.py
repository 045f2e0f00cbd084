"""Two drivers on one real cluster, of which the first, on another host, is killed while it holds a lease."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ray.cluster_utils import Cluster

DRIVER = """
import sys, time
from dataclasses import replace
from pipeline.folder import Folder
from pipeline.ray_backend.session import connect
from pipeline.store.lease import Leases
from pipeline.store.process import Process

connect()
process = replace(Process.this(), machine=sys.argv[2])
leases = Leases(Folder(sys.argv[1]), process)
while (holder := leases.acquire("k")):
    print("held by", holder.job, flush=True)
    time.sleep(0.2)
print("acquired", flush=True)
time.sleep(60 if sys.argv[2] == "first" else 0)
"""


@pytest.fixture
def head() -> Iterator[Cluster]:
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    yield cluster
    cluster.shutdown()


@pytest.mark.slow
def test_the_lease_of_a_driver_that_died_on_another_host_is_free_once_the_cluster_has_seen_its_death(
    head, tmp_path: Path
):
    def start(name: str) -> subprocess.Popen[str]:
        environment = {**os.environ, "RAY_ADDRESS": head.address}
        return subprocess.Popen(
            [sys.executable, "-c", DRIVER, tmp_path, name], stdout=subprocess.PIPE, text=True, env=environment
        )

    first = start("first")
    assert first.stdout is not None
    assert first.stdout.readline() == "acquired\n"
    second = start("second")
    assert second.stdout is not None
    assert second.stdout.readline().startswith("held by ")
    first.kill()
    began = time.monotonic()
    assert second.communicate(timeout=60)[0].endswith("acquired\n")
    assert time.monotonic() - began < 60  # of the 120 seconds after which a lease without a heartbeat is stale
