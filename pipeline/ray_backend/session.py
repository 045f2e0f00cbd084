"""Joining Ray: the cluster that `RAY_ADDRESS` names, or a session of our own on this machine.

Without `RAY_ADDRESS` a new local session is started, never one that happens to run here. The dashboard process is on
in such a session: Ray Train's cleaner asks it whether a killed training is gone, and without the answer the workers'
placement group is held for ever. Usage statistics are off unless the environment says otherwise.

Tested in tests/pipeline/ray_backend/test_executor.py.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import PipelineError
from pipeline.stage import Resources
from pipeline.store.provenance import gpus

OBJECT_STORE_BYTES = 512 * 2**20
"""Images never pass through the object store; results of `Context.map` do, and they are small."""


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """What there is to run on."""

    total: Resources
    largest_node: Resources
    """The most that a stage in one process can get."""


def connect(
    *, cpus: int | None = None, gpus: int | None = None, dashboard: bool = True, own: Iterable[Path] = ()
) -> Cluster:
    """Join Ray once per process, quietly. `cpus`, `gpus` and `dashboard` shape a session of our own only.

    `own` are modules and packages that every worker shall be able to import; in a process that has joined before, it
    has no effect.
    Raises PipelineError when the cluster named by `RAY_ADDRESS` does not answer.
    """
    _set_quiet_defaults()
    import ray

    if not ray.is_initialized():
        options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR", "job_config": _job_config()}
        if taken := [str(path) for path in own]:
            options["runtime_env"] = {"py_modules": taken}
        if address := os.environ.get("RAY_ADDRESS"):
            _join(address, options)
        else:
            shape = {"num_cpus": cpus, "num_gpus": gpus, "object_store_memory": OBJECT_STORE_BYTES}
            ray.init(address="local", include_dashboard=dashboard, **shape, **options)
    return cluster()


def disconnect() -> None:
    """Leave the cluster, or end the session that `connect` started."""
    import ray

    ray.shutdown()


def cluster() -> Cluster:
    """What the joined cluster has now; `ray.available_resources` would leave out what is in use."""
    import ray

    nodes = [_resources(node["Resources"]) for node in ray.nodes() if node["Alive"]]
    largest = max(nodes, key=lambda node: (node.gpus, node.cpus))
    return Cluster(total=_resources(ray.cluster_resources()), largest_node=largest)


def local_capacity() -> Resources | None:
    """What a session of our own would have, known without starting Ray; None when `RAY_ADDRESS` names a cluster."""
    if os.environ.get("RAY_ADDRESS"):
        return None
    return Resources(cpus=os.cpu_count() or 1, gpus=_visible_gpus())


def _set_quiet_defaults() -> None:
    """Read by Ray at import and by its workers at start, hence before `import ray`."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_DEDUP_LOGS", "1")
    os.environ.setdefault("PYTHONSAFEPATH", "1")  # else its helpers import a user's random.py from the current folder
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # else each worker warns about its empty GPU list


def _job_config() -> Any:
    """A job whose workers do not look for modules in the folder that the driver was started in.

    Ray puts it first on their path, unless there is a `working_dir`: a user's folder `stages` or file `random.py` would
    hide what the workers import. What they need of the user's travels as `py_modules`.
    """
    from ray.job_config import JobConfig

    class Apart(JobConfig):  # type: ignore[misc]
        def _runtime_env_has_working_dir(self) -> bool:
            return True

    return Apart()


def _join(address: str, options: dict[str, Any]) -> None:
    import ray

    try:
        ray.init(address=address, **options)
    except ConnectionError as error:
        raise PipelineError(
            f"no Ray cluster answers at RAY_ADDRESS={address}: {error}\n"
            "Start one (`ray start --head`) or unset RAY_ADDRESS to run on this machine."
        ) from error


def _resources(amounts: dict[str, float]) -> Resources:
    return Resources(cpus=amounts.get("CPU", 0), gpus=amounts.get("GPU", 0))  # Ray leaves out what is zero


def _visible_gpus() -> int:
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return len([device for device in visible.split(",") if device.strip() not in ("", "-1")])
    return len(gpus("name"))
