"""What each node of a cluster is and sees, for `ssdpipe doctor --cluster`: facts only, judged elsewhere.

Tested in tests/experiments/cli/test_doctor_cluster.py.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace

import psutil

from pipeline.errors import PipelineError
from pipeline.folder import Folder
from pipeline.ray_backend.data_place import DataPlace
from pipeline.ray_backend.each_node import ANSWER_SECONDS, ClusterNode, cluster_nodes, on_each
from pipeline.ray_backend.node_probe import store_fault
from pipeline.ray_backend.same_code import Code
from pipeline.store.faults import PROBE
from pipeline.store.provenance import git, gpus, library_versions, topology

TORCH_GPUS = (
    "import json, torch; print(json.dumps([torch.cuda.get_device_name(at) for at in range(torch.cuda.device_count())]))"
)
CLOCK_TRIALS = 3
TORCH_SECONDS = ANSWER_SECONDS / 2
"""Less than the node itself may take, so that a silent torch does not make a silent node."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What one node found about itself."""

    host: str
    versions: dict[str, str]
    commit: str
    code: str
    """Digest of the sources of the project and of the versions of the libraries that compute."""

    code_error: str
    """How they differ from the driver's; empty if they do not."""

    store_error: str
    """Why the driver's file in the store is not read, or none can be written; empty if both work."""

    data_errors: tuple[str, ...]
    interfaces: dict[str, list[str]]
    """IPv4 addresses of the network interfaces that are up, without the loopback."""

    chosen: dict[str, str]
    """Variables that choose the interface of NCCL and gloo."""

    gpus: tuple[str, ...]
    """Names of the GPUs that torch sees in a process of its own."""

    gpu_error: str
    drivers: tuple[str, ...]
    topology: tuple[str, ...]
    """Lines of `nvidia-smi topo -m`: how the GPUs and network cards are connected."""


@dataclass(frozen=True, kw_only=True)
class SurveyedNode:
    """A node and its facts; None if it did not answer."""

    node: ClusterNode
    facts: Facts | None
    skew: float = 0.0
    """Seconds by which its clock is ahead of the driver's."""

    skew_error: float = 0.0
    """Largest error of `skew`: half the time of the question."""


def survey_nodes(
    store: Folder, places: Iterable[DataPlace] = (), seconds: float = ANSWER_SECONDS
) -> list[SurveyedNode]:
    """Ask each node. Writes small files into the store and deletes them."""
    code, probe, content = Code.this(), f"{PROBE}{uuid.uuid4().hex}", uuid.uuid4().hex.encode()
    store.write_bytes(probe, content)
    try:
        answers = on_each(cluster_nodes(), facts, store, probe, content, code, tuple(places), seconds=seconds)
        surveyed = []
        for answer in answers:
            if answer.value is None:
                surveyed.append(SurveyedNode(node=answer.node, facts=None))
                continue
            found = replace(answer.value, store_error=answer.value.store_error or _unseen(store, probe, answer.node))
            skew, error = _skew(answer.node)
            surveyed.append(SurveyedNode(node=answer.node, facts=found, skew=skew, skew_error=error))
    finally:
        store.delete_file(probe)
    return surveyed


def facts(store: Folder, probe: str, content: bytes, code: Code, places: tuple[DataPlace, ...]) -> Facts:
    """Facts of the node of this process; leaves a file in the store that the driver must see."""
    here, code_error = Code.this(), ""
    try:
        code.require()
    except PipelineError as error:
        code_error = str(error)
    names, gpu_error = _torch_gpus()
    versions = library_versions()
    return Facts(
        host=socket.gethostname(),
        versions={"python": platform.python_version()} | {name: versions.get(name, "") for name in ("ray", "torch")},
        commit=git().get("commit", ""),
        code=hashlib.sha256(json.dumps(here.parts, sort_keys=True).encode()).hexdigest()[:12],
        code_error=code_error,
        store_error=store_fault(store, probe, content) or _write(store, _own(probe, here.node), here.node.encode()),
        data_errors=tuple(place.fault() for place in places),
        interfaces=_interfaces(),
        chosen={name: os.environ[name] for name in ("NCCL_SOCKET_IFNAME", "GLOO_SOCKET_IFNAME") if name in os.environ},
        gpus=names,
        gpu_error=gpu_error,
        drivers=gpus("driver_version"),
        topology=topology() if len(names) > 1 else (),
    )


def _own(probe: str, node: str) -> str:
    return f"{probe}-{node}"


def _write(store: Folder, name: str, content: bytes) -> str:
    try:
        store.write_bytes(name, content)
    except OSError as error:
        return f"it cannot be written: {error}"
    return ""


def _unseen(store: Folder, probe: str, node: ClusterNode) -> str:
    """Why the driver does not read what the node wrote; empty if it does. Deletes it."""
    try:
        fault = store_fault(store, _own(probe, node.id), node.id.encode())
        store.delete_file(_own(probe, node.id))
    except OSError as error:
        fault = str(error)
    return f"what it writes is not seen by the driver: {fault}" if fault else ""


def _interfaces() -> dict[str, list[str]]:
    up = {name for name, state in psutil.net_if_stats().items() if state.isup}
    addresses = {
        name: [entry.address for entry in entries if entry.family == socket.AF_INET]
        for name, entries in psutil.net_if_addrs().items()
        if name in up
    }
    return {
        name: listed
        for name, listed in addresses.items()
        if listed and not all(each.startswith("127.") for each in listed)
    }


def _torch_gpus() -> tuple[tuple[str, ...], str]:
    """GPUs of this node for torch, or why they are unknown.

    In a new process, since Ray hides all of them from a task that requests none.
    """
    environment = dict(os.environ)
    if not environment.get("CUDA_VISIBLE_DEVICES"):
        environment.pop("CUDA_VISIBLE_DEVICES", None)
    command = [sys.executable, "-c", TORCH_GPUS]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=TORCH_SECONDS)
    except (OSError, subprocess.SubprocessError) as error:
        return (), f"torch cannot list them: {error}"
    if done.returncode:
        return (), f"torch cannot list them: {(done.stderr.strip().splitlines() or ['no message'])[-1]}"
    return tuple(json.loads(done.stdout.splitlines()[-1])), ""


def _now() -> float:
    return time.time()


def _skew(node: ClusterNode) -> tuple[float, float]:
    """Skew of the node's clock and its largest error, by the quickest of a few questions."""
    trials = []
    for _ in range(CLOCK_TRIALS):
        began = time.time()
        (answer,) = on_each([node], _now)
        if answer.value is not None:
            ended = time.time()
            trials.append(((ended - began) / 2, answer.value - (began + ended) / 2))
    error, skew = min(trials, default=(0.0, 0.0))
    return skew, error
