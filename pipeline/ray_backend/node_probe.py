"""Checks every node of a cluster before a run: the store and the data that it sees, its code, its declared GPUs.

What a node lacks is known before any stage has started. `ssdpipe doctor --cluster` looks closer
(`pipeline.ray_backend.node_survey`).

Tested in tests/pipeline/ray_backend/test_node_probe.py.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipeline.errors import PipelineError
from pipeline.folder import Folder
from pipeline.ray_backend.data_place import DataPlace
from pipeline.ray_backend.each_node import ANSWER_SECONDS, ClusterNode, cluster_nodes, on_each
from pipeline.ray_backend.same_code import Code
from pipeline.store.faults import PROBE
from pipeline.store.provenance import gpus

SAME_PLACE = "Mount the same folder at the same path on every node, or "


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a node found."""

    store_error: str = ""
    code_error: str = ""
    data_errors: tuple[str, ...] = ()
    gpus: int = 0


def check_nodes(store: Folder, data: Iterable[str] = (), seconds: float = ANSWER_SECONDS) -> list[str]:
    """Raise PipelineError for a node without the store or the data, or with other code; return warnings.

    `data` lists the places of data sets, which only nodes that shard must see. Warnings are about GPUs that are only
    declared, which train on the CPU, and nodes that do not answer.
    """
    places = tuple(map(DataPlace.of, data))
    name, content = f"{PROBE}{uuid.uuid4().hex}", uuid.uuid4().hex.encode()
    store.write_bytes(name, content)
    try:
        answers = on_each(cluster_nodes(), look, store, name, content, Code.this(), places, seconds=seconds)
    finally:
        store.delete_file(name)
    reports = {answer.node: answer.value for answer in answers if answer.value is not None}
    _refuse(reports, store, places)
    absent = [
        f"node {node.address} declares {node.gpus:g} GPUs and has {report.gpus}: what is placed there computes on the "
        "CPU"
        for node, report in reports.items()
        if node.gpus > report.gpus
    ]
    silent = [answer.node.address for answer in answers if answer.value is None]
    return absent + [f"node {address} did not answer in {seconds:g} s and was not checked" for address in silent]


def look(store: Folder, name: str, content: bytes, code: Code, places: tuple[DataPlace, ...] = ()) -> Report:
    """What the node of this process sees."""
    code_error = ""
    try:
        code.require()
    except PipelineError as error:
        code_error = str(error)
    return Report(
        store_error=store_fault(store, name, content),
        code_error=code_error,
        data_errors=tuple(place.fault() for place in places),
        gpus=len(gpus("name")),
    )


def store_fault(store: Folder, name: str, content: bytes) -> str:
    """Why the driver's probe file is not read here; empty if it is."""
    try:
        return "" if store.read_bytes(name) == content else "it holds other files"
    except OSError as error:
        return str(error) or type(error).__name__


def _refuse(reports: Mapping[ClusterNode, Report], store: Folder, places: tuple[DataPlace, ...] = ()) -> None:
    blind = {node.address: report.store_error for node, report in reports.items() if report.store_error}
    if blind:
        raise PipelineError(
            f"{len(blind)} of {len(reports)} nodes do not see the store {store.shown}:\n{_listed(blind)}\n"
            f"{SAME_PLACE}set SSDPIPE_STORE to s3://BUCKET/FOLDER with credentials that are valid there."
        )
    if wrong := {node.address: report.code_error for node, report in reports.items() if report.code_error}:
        raise PipelineError("\n".join(f"node {address}: {reason}" for address, reason in wrong.items()))
    for number, place in enumerate(places):
        readers = {node.address: report.data_errors[number] for node, report in reports.items() if node.shards}
        if blind := {address: reason for address, reason in readers.items() if reason}:
            raise PipelineError(
                f"{len(blind)} of {len(readers)} nodes that shard do not see the data {place.folder.shown}:\n"
                f"{_listed(blind)}\n{SAME_PLACE}name an s3:// place with --data."
            )


def _listed(reasons: Mapping[str, str]) -> str:
    return "\n".join(f"  {address}: {reason}" for address, reason in reasons.items())
