"""A function on every node of a cluster: one task on each, all at once, that takes no resources.

Tested in tests/pipeline/ray_backend/test_node_probe.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pipeline.errors import PipelineError
from pipeline.ray_backend.failures import as_worker_lost
from pipeline.ray_backend.session import HEAD

Value = TypeVar("Value")

ANSWER_SECONDS = 60.0
"""How long nodes may take to answer: the first task on a node starts a process."""


@dataclass(frozen=True, kw_only=True)
class ClusterNode:
    """A node that is alive."""

    id: str
    address: str
    cpus: float
    gpus: float
    """Declared to Ray."""

    is_head: bool

    @property
    def shards(self) -> bool:
        """Whether stages that read the data run there: their tasks, or on the head the stage itself."""
        return self.is_head or self.cpus > 0


@dataclass(frozen=True)
class Answer(Generic[Value]):
    node: ClusterNode
    value: Value | None
    """None if the node did not answer in time, or is lost."""


def cluster_nodes() -> list[ClusterNode]:
    """Nodes of the connected cluster, the head first."""
    import ray

    alive = [node for node in ray.nodes() if node["Alive"]]
    nodes = [
        ClusterNode(
            id=node["NodeID"],
            address=node["NodeManagerAddress"],
            cpus=node["Resources"].get("CPU", 0.0),
            gpus=node["Resources"].get("GPU", 0.0),
            is_head=HEAD in node["Resources"],
        )
        for node in alive
    ]
    return sorted(nodes, key=lambda node: (not node.is_head, node.address, node.id))


def on_each(
    nodes: Iterable[ClusterNode], function: Callable[..., Value], *arguments: Any, seconds: float = ANSWER_SECONDS
) -> list[Answer[Value]]:
    """Call `function(*arguments)` on each node. Raises PipelineError for a node that cannot run the function."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    task, nodes = ray.remote(function), list(nodes)
    asked = [
        task.options(
            num_cpus=0, max_retries=0, scheduling_strategy=NodeAffinitySchedulingStrategy(node.id, soft=False)
        ).remote(*arguments)
        for node in nodes
    ]
    _, late = ray.wait(asked, num_returns=len(asked), timeout=seconds) if asked else ([], [])
    for handle in late:
        ray.cancel(handle, force=True)
    return [
        Answer(node, None if handle in late else _value(handle, node))
        for node, handle in zip(nodes, asked, strict=True)
    ]


def _value(handle: Any, node: ClusterNode) -> Any:
    import ray

    try:
        return ray.get(handle)
    except ray.exceptions.RayError as error:
        if as_worker_lost(error, node.address) or isinstance(error, ray.exceptions.TaskUnschedulableError):
            return None
        reason = str(error).strip().splitlines()[-1]
        raise PipelineError(
            f"node {node.address} cannot run this version of ssdpipe: {reason}\nInstall the same version on every "
            "node, for example by `ray job submit --working-dir .`"
        ) from error
