"""The cluster that RAY_ADDRESS names, or a session on this machine: its nodes, then a group of workers.

Tested in tests/experiments/cli/test_doctor_cluster.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from experiments.cli.doctor.finding import Finding
from pipeline.errors import PipelineError

if TYPE_CHECKING:
    from pipeline.folder import Folder
    from pipeline.ray_backend.session import Cluster

LOGS = "Ray's logs are in /tmp/ray/session_latest/logs of each node, those of the workers in worker-*.err"


@dataclass(frozen=True, kw_only=True)
class Check:
    """What is checked."""

    store: Folder
    data: Sequence[str] = ()
    gpus: int | None = None
    """GPUs, one for each worker; None takes all."""

    workers: int = 2
    """Workers on CPUs, where there is no GPU."""


def cluster_findings(check: Check) -> Iterator[Finding]:
    """Findings on the nodes and, unless they have a problem, on a group of workers."""
    from experiments.cli.doctor.group_findings import group_findings
    from experiments.cli.doctor.node_findings import node_findings
    from pipeline.ray_backend.data_place import DataPlace
    from pipeline.ray_backend.node_survey import survey_nodes
    from stages.training.selfcheck.group import check_group

    with _connected(check) as cluster, _unchanged(check.store):
        places = [DataPlace.of(place) for place in check.data]
        on_nodes = []
        for finding in node_findings(survey_nodes(check.store, places), [place.folder.shown for place in places]):
            on_nodes.append(finding)
            yield finding
        wrong = [finding.name for finding in on_nodes if finding.state == "problem" and finding.name != "node GPUs"]
        if wrong:
            remedy = f"Fix {', '.join(wrong)} first"
            yield Finding(name="group", state="note", text="no workers were started", remedy=remedy)
            return
        gpus = int(cluster.total.gpus) if check.gpus is None else check.gpus
        try:
            report = check_group(gpus or check.workers, use_gpu=gpus > 0, store=check.store)
        except PipelineError as error:
            text, _, remedy = str(error).partition("\n")
            yield Finding(name="group", state="problem", text=text, remedy=remedy or LOGS)
            return
        yield from group_findings(report)


@contextmanager
def _connected(check: Check) -> Iterator[Cluster]:
    """Join the cluster, or start a session with at least as many CPUs as workers."""
    import ray

    from pipeline.ray_backend.leaving import disconnect
    from pipeline.ray_backend.session import connect, local_capacity

    joined_before = ray.is_initialized()
    here = local_capacity()
    cpus = max(int(here.cpus), check.gpus or check.workers) if here else None
    try:
        yield connect(cpus=cpus)
    finally:
        if not joined_before:
            disconnect()


@contextmanager
def _unchanged(store: Folder) -> Iterator[None]:
    """Remove the store at the end if the check has created it, and no other command has written to it meanwhile."""
    existed = store.exists()
    try:
        yield
    finally:
        if not existed and not store.files():
            store.delete()
