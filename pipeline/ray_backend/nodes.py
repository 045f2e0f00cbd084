"""Free and total resources of each node, and a wait until the workers of a group fit.

Ray itself would wait silently and for ever for workers that no longer fit on any node.

Tested in tests/pipeline/ray_backend/test_nodes.py.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipeline.errors import PipelineError
from pipeline.planning.admission import shown, workers_on
from pipeline.ray_backend.session import HEAD
from pipeline.stage import Resources

GRACE_SECONDS = 10.0
"""How long busy nodes are waited for: with the group before this one, say. Then Ray queues the group."""

POLL_SECONDS = 1.0
SHOWN_NODES = 4


@dataclass(frozen=True, kw_only=True)
class Node:
    """One node that takes new work: alive, and not being drained."""

    name: str
    free: Resources
    total: Resources
    id: str = ""
    is_head: bool = False


def nodes() -> list[Node]:
    """All nodes of the cluster that take new work."""
    import ray

    state = ray._private.state
    leaving = state.state.get_draining_nodes()
    free = state.available_resources_per_node()
    return [
        Node(
            name=node["NodeManagerAddress"],
            free=_resources(free.get(node["NodeID"], {})),
            total=_resources(node["Resources"]),
            id=node["NodeID"],
            is_head=HEAD in node["Resources"],
        )
        for node in ray.nodes()
        if node["Alive"] and node["NodeID"] not in leaving
    ]


def off_head(wanted: Resources, there: Sequence[Node]) -> Node | None:
    """The node beside the head with the most free CPUs on which a stage fits now; None if there is none.

    The head's memory is for the processes of nested stages, which must run there.
    """
    fitting = [node for node in there if not node.is_head and workers_on(wanted, [node.free])]
    return max(fitting, key=lambda node: node.free.cpus, default=None)


def busy_leaving() -> set[str]:
    """Nodes that are being drained while work still runs on them."""
    import ray

    state = ray._private.state
    free = state.available_resources_per_node()
    total = {node["NodeID"]: node["Resources"] for node in ray.nodes() if node["Alive"]}
    leaving = [node for node in state.state.get_draining_nodes() if node in total]
    return {node for node in leaving if _resources(free.get(node, {})) != _resources(total[node])}


def await_room(
    wanted: Resources,
    report: Callable[[str], None],
    *,
    limit: float,
    stopped: Callable[[], bool] = lambda: False,
    find: Callable[[], list[Node]] = nodes,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Wait until the workers fit, or fewer if those suffice; return the number of workers to place.

    On a busy cluster, returns after a grace period although they do not fit yet: Ray holds their place in its queue.
    When even idle nodes would not suffice, because some were lost, raises PipelineError after `limit` seconds. `report`
    receives what is waited for. Returns 0 as soon as `stopped` holds.
    """
    began = enough = clock()
    while not stopped():
        there = find()
        fitting = min(wanted.workers, workers_on(wanted.worker, [node.free for node in there]))
        possible = min(wanted.workers, workers_on(wanted.worker, [node.total for node in there]))
        needed, now = wanted.at_least().workers, clock()
        enough = now if possible >= needed else enough
        if fitting == wanted.workers or needed <= fitting == possible:
            return fitting
        if possible >= needed and now - began >= GRACE_SECONDS:
            return max(fitting, needed)
        message = f"waiting for {shown(wanted.at_least())}; free: {_free(there)}"
        if now - enough >= limit:
            raise PipelineError(
                f"{message}. The nodes have room for {possible} workers, and none came back within {limit:g} s: add "
                "nodes, or run the command again with fewer workers; it continues from the newest checkpoint"
            )
        report(message)
        sleep(POLL_SECONDS)
    return 0


def request_room(wanted: Resources) -> None:
    """Ask the cluster's autoscaler, if there is one, for nodes on which the workers fit."""
    from ray.autoscaler.sdk import request_resources

    bundle = {"CPU": wanted.worker.cpus, "GPU": wanted.worker.gpus}
    request_resources(bundles=[{name: amount for name, amount in bundle.items() if amount}] * wanted.workers)


def _free(there: list[Node]) -> str:
    parts = [f"{node.free.cpus:g} CPU, {node.free.gpus:g} GPU on {node.name}" for node in there if node.total.cpus]
    more = [f"{len(parts) - SHOWN_NODES} more nodes"] if len(parts) > SHOWN_NODES else []
    return "; ".join([*parts[:SHOWN_NODES], *more]) or "no node"


def _resources(amounts: dict[str, float]) -> Resources:
    return Resources(cpus=amounts.get("CPU", 0), gpus=amounts.get("GPU", 0))
