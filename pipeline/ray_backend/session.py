"""Connects to Ray: to the cluster that `RAY_ADDRESS` names, or to a new local session.

Without `RAY_ADDRESS` a new local session is started; one that already runs on this machine is never joined. The new
session runs the dashboard process: Ray Train's cleanup asks it whether a killed training is gone, and without an answer
the workers' placement group is held forever. The cleanup finds it by `RAY_ADDRESS`, which `RayExecutor` sets.
Usage statistics are off unless the environment enables them.

Tested in tests/pipeline/ray_backend/test_executor.py.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import PipelineError
from pipeline.ray_backend.reachable import absent, check_cluster, refused
from pipeline.ray_backend.temporary_folder import check_temporary_folder
from pipeline.ray_backend.token_file import private_token_file
from pipeline.stage import Resources
from pipeline.store.process import RayCluster, join
from pipeline.store.provenance import gpus

HEAD = "node:__internal_head__"
"""Ray's resource of the head node."""

CONTROLLER_BYTES = 2 * 10**9
"""Memory that a training takes on the head node: its stage and its controller, 725 MB each, and 600 MB of Ray's own."""

OBJECT_STORE_BYTES = 512 * 2**20
"""Images never pass through the object store; results of `Context.map` do, and they are small."""

HANDED_ON = ("AWS_", "AZURE_", "GOOGLE_", "MLFLOW_")
"""Beginnings of the names of environment variables that workers get from the driver."""


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """Resources of the connected cluster."""

    total: Resources
    """Of all nodes, including those that an autoscaler can add."""

    nodes: tuple[Resources, ...]
    """Of each node that is there; what is in use is included."""

    controllers: float = math.inf
    """How many nested stages the memory of the head node has room for: their processes run there."""

    @property
    def can_grow(self) -> bool:
        """Whether an autoscaler can add nodes; their sizes are not known."""
        return self.total.cpus > sum(node.cpus for node in self.nodes) or self.total.gpus > sum(
            node.gpus for node in self.nodes
        )


def connect(
    *, cpus: int | None = None, gpus: int | None = None, dashboard: bool = True, own: Iterable[Path] = ()
) -> Cluster:
    """Connect to Ray once per process, with little output. `cpus`, `gpus` and `dashboard` apply to a new session only.

    `own` lists modules and packages that every worker must be able to import; it has no effect in a process that is
    already connected.
    Raises PipelineError when the cluster named by `RAY_ADDRESS` does not answer.
    """
    _set_quiet_defaults()
    import ray

    if not ray.is_initialized():
        options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR", "job_config": _job_config()}
        if taken := [str(path) for path in own]:
            options["runtime_env"] = {"py_modules": taken}
        if address := os.environ.get("RAY_ADDRESS"):
            options["runtime_env"] = {**options.get("runtime_env", {}), "env_vars": credentials()}
            _join(address, options)
        else:
            shape = {"num_cpus": cpus, "num_gpus": gpus, "object_store_memory": OBJECT_STORE_BYTES}
            with _safe_path(), private_token_file():
                _start(include_dashboard=dashboard, **shape, **options)
    join(RayCluster(_cluster_name(), ray.get_runtime_context().get_job_id(), _is_over))
    return cluster()


def _cluster_name() -> str:
    import ray

    return str(ray._private.worker.global_worker.gcs_client.cluster_id.hex())


def _is_over(job: str) -> bool:
    """Whether a job of this cluster has ended; Ray notices the death of its driver, or of the driver's node."""
    import ray

    return any(each["JobID"] == job and each["IsDead"] for each in ray._private.state.jobs())


def check_surroundings() -> None:
    """Raise PipelineError within seconds when `connect` could not work: no such cluster, or no temporary folder."""
    if address := os.environ.get("RAY_ADDRESS"):
        check_cluster(address)
    else:
        check_temporary_folder()


def credentials() -> dict[str, str]:
    """Variables of this process by which workers on other hosts reach the same stores and tracker.

    A submitted job's own variables reach them anyway, and Ray refuses to be given one twice.
    """
    submitted = json.loads(os.environ.get("RAY_JOB_CONFIG_JSON_ENV_VAR") or "{}")
    there = (submitted.get("runtime_env") or {}).get("env_vars") or {}
    return {name: value for name, value in os.environ.items() if name.startswith(HANDED_ON) and name not in there}


def cluster() -> Cluster:
    """Current resources of the cluster; `ray.available_resources` would exclude those in use."""
    import ray

    nodes = tuple(_resources(node["Resources"]) for node in ray.nodes() if node["Alive"])
    now, later = _resources(ray.cluster_resources()), _resources(_autoscaled())
    total = Resources(cpus=max(now.cpus, later.cpus), gpus=max(now.gpus, later.gpus))
    return Cluster(total=total, nodes=nodes, controllers=_controllers())


def _controllers() -> float:
    import ray

    amounts = [node["Resources"] for node in ray.nodes() if node["Alive"] and HEAD in node["Resources"]]
    memory = [node["memory"] for node in amounts if "memory" in node]
    return max(1, memory[0] // CONTROLLER_BYTES) if memory else math.inf


def _autoscaled() -> dict[str, float]:
    """The most that the cluster's autoscaler may provide; empty without one."""
    import ray

    return ray._private.state.state.get_max_resources_from_cluster_config() or {}


def local_capacity() -> Resources | None:
    """Resources that a new local session would have, without starting Ray; None when `RAY_ADDRESS` names a cluster."""
    if os.environ.get("RAY_ADDRESS"):
        return None
    return Resources(cpus=os.cpu_count() or 1, gpus=_visible_gpus())


def _set_quiet_defaults() -> None:
    """Set defaults that Ray reads at import and its workers read at start; call before `import ray`."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_DEDUP_LOGS", "1")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # else each worker warns about its empty GPU list


@contextmanager
def _safe_path() -> Iterator[None]:
    """Processes started meanwhile, and theirs, do not import a `random.py` from the working directory."""
    before = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONSAFEPATH"]
        else:
            os.environ["PYTHONSAFEPATH"] = before


def _job_config() -> Any:
    """A job whose workers do not import from the driver's working directory.

    Ray puts that directory first on their path unless there is a `working_dir`, and a user's folder `stages` or file
    `random.py` in it would hide what the workers import. The user's modules that they need are sent as `py_modules`.
    """
    from ray.job_config import JobConfig

    class Apart(JobConfig):  # type: ignore[misc]
        def _runtime_env_has_working_dir(self) -> bool:
            return True

    return Apart()


def _start(**options: Any) -> None:
    """Start a session on this machine. Raises PipelineError where Ray does not come up; it raises bare exceptions."""
    import ray

    try:
        ray.init(address="local", **options)
    except Exception as error:
        cause = str(error).strip().partition("\n")[0] or type(error).__name__
        raise PipelineError(
            f"Ray did not start on this machine: {cause}\n"
            "Repeat the command, once the machine is less busy: Ray waits for about half a minute. `ssdpipe doctor` "
            f"checks this machine; Ray's logs are in {os.environ.get('RAY_TMPDIR', '/tmp')}/ray/session_latest/logs."
        ) from error


def _join(address: str, options: dict[str, Any]) -> None:
    import ray
    from ray.exceptions import AuthenticationError

    try:
        ray.init(address=address, **options)
    except AuthenticationError as error:
        raise refused(address, str(error)) from error
    except ConnectionError as error:
        raise absent(address, str(error)) from error
    except (ValueError, RuntimeError) as error:
        raise PipelineError(f"RAY_ADDRESS={address} cannot be joined: {error}") from error


def _resources(amounts: dict[str, float]) -> Resources:
    return Resources(cpus=amounts.get("CPU", 0), gpus=amounts.get("GPU", 0))  # Ray omits zero amounts


def _visible_gpus() -> int:
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return len([device for device in visible.split(",") if device.strip() not in ("", "-1")])
    return len(gpus("name"))
