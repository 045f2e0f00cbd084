"""A parallel map over Ray tasks, called inside a stage: ordered, few tasks in flight, lost items retried.

Tested in tests/pipeline/ray_backend/test_executor.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from pipeline.execution.stage_log import captured
from pipeline.folder import Folder
from pipeline.planning.admission import ROUNDING
from pipeline.ray_backend.cancelling import hear_cancel
from pipeline.ray_backend.failures import RemoteFailure, as_worker_lost
from pipeline.ray_backend.same_code import Code
from pipeline.stage import Resources

RETRIES_OF_A_LOST_ITEM = 2


@dataclass(frozen=True)
class RayMapper:
    """How `Context.map` runs inside a job; output of its tasks goes to the log of the stage."""

    logs: Folder
    log: str
    code: Code
    """The driver's, which the node of each task must have."""

    share: Resources
    """The most that its tasks may take at once."""

    def __call__(
        self,
        function: Callable[[Any], Any],
        items: Iterable[Any],
        *,
        resources: Resources,
        progress: Callable[[int, int], None],
    ) -> list[Any]:
        """Compute `[function(item) for item in items]` on the cluster; call `progress(done, total)` as items finish.

        Raises the first error that `function` raised, or WorkerLost for an item whose worker died three times.
        """
        import ray

        waiting = list(enumerate(items))[::-1]
        values: list[Any] = [None] * len(waiting)
        call = ray.remote(_call).options(
            num_cpus=resources.cpus, num_gpus=resources.gpus, max_retries=RETRIES_OF_A_LOST_ITEM
        )
        shared = ray.put((function, self))
        in_flight: dict[Any, int] = {}
        limit = _limit(resources, self.share)
        try:
            while waiting or in_flight:
                while waiting and len(in_flight) < limit:
                    index, item = waiting.pop()
                    in_flight[call.remote(shared, item)] = index
                finished, _ = ray.wait(list(in_flight), num_returns=1)
                for reference in finished:
                    values[in_flight.pop(reference)] = _value(reference)
                progress(len(values) - len(waiting) - len(in_flight), len(values))
        finally:
            for reference in in_flight:
                ray.cancel(reference)
        return values


def _call(shared: tuple[Callable[[Any], Any], RayMapper], item: Any) -> tuple[RemoteFailure | None, Any]:
    hear_cancel()
    function, mapper = shared
    # Only a local file can be appended to by several processes
    log = captured(mapper.logs, mapper.log) if mapper.logs.is_local else nullcontext()
    try:
        mapper.code.require()
        with log:
            return None, function(item)
    except Exception as error:
        return RemoteFailure.of(error), None


def _value(reference: Any) -> Any:
    import ray

    try:
        failure, value = ray.get(reference)
    except ray.exceptions.RayError as error:
        raise as_worker_lost(error, "a worker of this stage") or error from error
    if failure is not None:
        raise failure.exception()
    return value


def _limit(task: Resources, share: Resources) -> int:
    """Largest number of tasks in flight: what would wait in Ray's queue could start beyond the share."""
    pairs = ((task.cpus, share.cpus), (task.gpus, share.gpus))
    slots = [there / wanted for wanted, there in pairs if wanted]
    return max(1, int(min(slots, default=share.cpus) + ROUNDING))
