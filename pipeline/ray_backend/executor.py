"""Jobs as Ray tasks: one task for each stage, reused worker processes, retries left to the scheduler."""

from __future__ import annotations

import copyreg
import sys
import time
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from dataclasses import MISSING
from typing import Any

from pipeline.errors import ClusterLost
from pipeline.execution.executor import Cancelled, Handle
from pipeline.execution.job import Job
from pipeline.keys.code_digest import own_files
from pipeline.keys.fingerprint import describe
from pipeline.ray_backend.failures import RemoteFailure, as_worker_lost
from pipeline.ray_backend.head_watch import watch_session
from pipeline.ray_backend.leaving import ended_when_lost
from pipeline.ray_backend.nodes import Node, nodes, off_head
from pipeline.ray_backend.same_code import Code
from pipeline.ray_backend.session import HEAD, cluster
from pipeline.ray_backend.worker import work
from pipeline.stage import Resources, Stage
from pipeline.store.store import Manifest

HEAD_ONLY = {HEAD: 0.001}
"""Pins a task to the head node, which is not preempted: a stage that only waits for its own workers runs there."""

NODES_SECONDS = 1.0
"""How long a look at the nodes serves: it takes three requests to the head, as long as all else of a submission."""


class RayExecutor:
    """The `Executor` on a cluster; requires `pipeline.ray_backend.session.connect` before."""

    def __init__(self, *, taken_along: Collection[str] = ()) -> None:
        """`taken_along` names the user's modules that workers can import."""
        import ray

        self._importable = set(taken_along)
        # A dataclass sent by value must keep the singleton MISSING, else its fields seem to have defaults
        copyreg.pickle(type(MISSING), lambda _: "MISSING")
        self._task = ray.remote(work)
        self._code = ray.put(Code.this())
        self._capacity = cluster().total
        self._nested = _nested_options(ray.get_runtime_context().gcs_address)
        self._watch = watch_session()
        self._addresses: dict[Any, str] = {}
        self._cancelled: set[Any] = set()
        self._visited: dict[int, Stage] = {}
        self._own: dict[frozenset[type], list[str]] = {}
        self._nodes: list[Node] = []
        self._next_look = float("-inf")

    def ended_when_lost(self, end: Callable[[ClusterLost], None]) -> AbstractContextManager[None]:
        """A block after whose loss of the cluster `end` is called, unless it ends by itself within seconds."""
        return ended_when_lost(self._watch, end)

    def capacity(self) -> Resources:
        """What the cluster has, or had when it last answered: a call to a silent head blocks."""
        if self._watch.answers():
            self._capacity = cluster().total
        return self._capacity

    def submit(self, job: Job) -> Handle:
        self._carry(job.stage)
        task = self._task.options(name=job.address, max_retries=0, **self._options(job.stage.resources))
        handle: Handle = task.remote(job, self._code)
        self._addresses[handle] = job.address
        return handle

    def wait(self, handles: Collection[Handle], timeout: float) -> list[Handle]:
        import ray

        self._watch.check()
        if not handles:
            time.sleep(timeout)
            return []
        ended, _ = ray.wait(list(handles), num_returns=1, timeout=timeout)
        if ended:  # include what ended at the same time
            ended, _ = ray.wait(list(handles), num_returns=len(handles), timeout=0)
        return list(ended)

    def result(self, handle: Handle) -> Manifest:
        outcome = self._outcome(handle)
        if isinstance(outcome, RemoteFailure):
            error = outcome.exception()
            raise as_worker_lost(error, "a worker of the stage") or error
        return outcome

    def cancel(self, handle: Handle, *, force: bool = False) -> None:
        import ray

        self._cancelled.add(handle)
        ray.cancel(handle, force=force)

    def _options(self, wanted: Resources) -> dict[str, Any]:
        if wanted.nested:
            return self._nested
        return {"num_cpus": wanted.cpus, "num_gpus": wanted.gpus, **self._off_head(wanted)}

    def _off_head(self, wanted: Resources) -> dict[str, Any]:
        """Options that place a stage beside the head while there is room, and anywhere if that node is lost or busy."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        if not (node := off_head(wanted, self._recent_nodes())):
            return {}
        strategy = NodeAffinitySchedulingStrategy(node.id, soft=True, _spill_on_unavailable=True)
        return {"scheduling_strategy": strategy}

    def _recent_nodes(self) -> list[Node]:
        """Nodes as they were at most a second ago; none while the head is silent, since a call to it would block."""
        if time.monotonic() >= self._next_look:
            self._nodes = nodes() if self._watch.answers() else []
            self._next_look = time.monotonic() + NODES_SECONDS
        return self._nodes

    def _carry(self, stage: Stage) -> None:
        """Pickle user code that no worker can import by value: code from a notebook, or in a session joined earlier."""
        from ray import cloudpickle

        if id(stage) in self._visited:
            return
        self._visited[id(stage)] = stage  # kept alive, so that no other stage gets its id
        description = describe(stage)
        if description.classes not in self._own:
            self._own[description.classes] = list(own_files(description.classes))
        for module in self._own[description.classes]:
            if module.partition(".")[0] not in self._importable and module in sys.modules:
                cloudpickle.register_pickle_by_value(sys.modules[module])
        for held in description.inputs.values():
            self._carry(held)

    def _outcome(self, handle: Handle) -> Manifest | RemoteFailure:
        import ray

        address = self._addresses.pop(handle)
        try:
            outcome: Manifest | RemoteFailure = ray.get(handle)
        except ray.exceptions.RayError as error:
            if handle in self._cancelled:
                raise Cancelled(f"{address} was cancelled") from None
            raise as_worker_lost(error, f"the worker of {address}") or error from None
        return outcome


def _nested_options(head: str) -> dict[str, Any]:
    """Ray options of a nested stage, which takes no resources itself: its workers have their own placement group.

    Every process of Ray Train below it inherits the environment. The one that gives back the room of a training that
    died looks for its cluster by itself, and without an address gives up where a machine has two sessions.
    """
    return {"num_cpus": 0, "resources": HEAD_ONLY, "runtime_env": {"env_vars": {"RAY_ADDRESS": head}}}
