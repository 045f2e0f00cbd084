"""Messages about lost workers, from Ray's own errors."""

from __future__ import annotations

from ray.exceptions import NodeDiedError, RayError

from pipeline.ray_backend.failures import as_worker_lost

CAUSE = "Task failed because the node it was running on is dead or unavailable. Node IP: 10.0.0.2, node ID: 60ab."


def test_a_lost_node_is_named_without_ray_s_guesses_and_commands() -> None:
    advice = "This can happen if the node was preempted. To see node death information, use `ray list nodes`."
    assert str(as_worker_lost(NodeDiedError(f"{CAUSE} {advice}"), "the worker of draw")) == (
        f"the worker of draw: NodeDiedError: {CAUSE}"
    )
    assert str(as_worker_lost(NodeDiedError(CAUSE), "it")) == f"it: NodeDiedError: {CAUSE}"
    assert as_worker_lost(RayError("another"), "it") is None
