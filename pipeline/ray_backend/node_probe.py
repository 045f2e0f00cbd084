"""Checks every node of a cluster before a run: does it see the store, has it the driver's code and its declared GPUs.

One task that takes no resources on each node, all at once; what a node lacks is known before any stage has started.

Tested in tests/pipeline/ray_backend/test_node_probe.py.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pipeline.errors import PipelineError
from pipeline.folder import Folder
from pipeline.ray_backend.failures import as_worker_lost
from pipeline.ray_backend.same_code import Code
from pipeline.store.provenance import gpus

PROBE_SECONDS = 60.0
"""How long nodes may take to answer: the first task on a node starts a process."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a node found."""

    store_error: str = ""
    code_error: str = ""
    gpus: int = 0


def check_nodes(store: Folder, seconds: float = PROBE_SECONDS) -> list[str]:
    """Raise PipelineError for a node without the store or with other code; return warnings.

    Warnings are about GPUs that are only declared, which train on the CPU, and nodes that do not answer.
    """
    import ray

    nodes = [node for node in ray.nodes() if node["Alive"]]
    name, content = f".probe-{uuid.uuid4().hex}", uuid.uuid4().hex.encode()
    store.write_bytes(name, content)
    try:
        answers = _ask(nodes, (store, name, content, Code.this()), seconds)
    finally:
        store.delete_file(name)
    _refuse(answers, store)
    silent = [node["NodeManagerAddress"] for node in nodes if node["NodeManagerAddress"] not in answers]
    absent = [
        f"node {node['NodeManagerAddress']} declares {declared:g} GPUs and has {answer.gpus}: what is placed there "
        "computes on the CPU"
        for node in nodes
        if (answer := answers.get(node["NodeManagerAddress"]))
        and (declared := node["Resources"].get("GPU", 0.0)) > answer.gpus
    ]
    return absent + [f"node {address} did not answer in {seconds:g} s and was not checked" for address in silent]


def look(store: Folder, name: str, content: bytes, code: Code) -> Report:
    """What the node of this process sees."""
    store_error = code_error = ""
    try:
        if store.read_bytes(name) != content:
            store_error = "it holds other files"
    except OSError as error:
        store_error = str(error) or type(error).__name__
    try:
        code.require()
    except PipelineError as error:
        code_error = str(error)
    return Report(store_error=store_error, code_error=code_error, gpus=len(gpus("name")))


def _ask(nodes: Iterable[dict[str, Any]], arguments: tuple[Any, ...], seconds: float) -> dict[str, Report]:
    """Answers by address; a node that is lost meanwhile gives none."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    task = ray.remote(look)
    asked = {
        task.options(
            num_cpus=0, max_retries=0, scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        ).remote(*arguments): node["NodeManagerAddress"]
        for node in nodes
    }
    answered, late = ray.wait(list(asked), num_returns=len(asked), timeout=seconds)
    for handle in late:
        ray.cancel(handle, force=True)
    return {asked[handle]: report for handle in answered if (report := _answer(handle, asked[handle]))}


def _answer(handle: Any, address: str) -> Report | None:
    import ray

    try:
        report: Report = ray.get(handle)
    except ray.exceptions.RayError as error:
        if as_worker_lost(error, address) or isinstance(error, ray.exceptions.TaskUnschedulableError):
            return None
        reason = str(error).strip().splitlines()[-1]
        raise PipelineError(
            f"node {address} cannot run this version of ssdpipe: {reason}\nInstall the same version on every node, for "
            "example by `ray job submit --working-dir .`"
        ) from error
    return report


def _refuse(answers: dict[str, Report], store: Folder) -> None:
    blind = {address: answer.store_error for address, answer in answers.items() if answer.store_error}
    if blind:
        listed = "\n".join(f"  {address}: {reason}" for address, reason in blind.items())
        raise PipelineError(
            f"{len(blind)} of {len(answers)} nodes do not see the store {store.shown}:\n{listed}\n"
            "Mount the same folder at the same path on every node, or set SSDPIPE_STORE to s3://BUCKET/FOLDER with "
            "credentials that are valid there."
        )
    if wrong := {address: answer.code_error for address, answer in answers.items() if answer.code_error}:
        raise PipelineError("\n".join(f"node {address}: {reason}" for address, reason in wrong.items()))
