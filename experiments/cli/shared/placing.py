"""Turn the options of a command into the placement of its stages."""

from __future__ import annotations

import math
import os
from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.errors import PipelineError

if TYPE_CHECKING:
    from pipeline.stage import Resources
    from stages.placement import Placement

WAIT_VARIABLE = "SSDPIPE_WAIT_SECONDS"
CPUS_PER_GPU = 8
"""Upper limit: enough CPUs for decoding and augmentation to keep about one fast GPU busy with SSD300."""


def place(
    *, gpus: int | None, gpus_per_training: int, cpus_per_worker: int | None = None, in_process: bool = False
) -> Placement:
    """Concurrent trainings, each on `gpus_per_training` GPUs, or on one CPU worker if there are no GPUs.

    With `in_process` that worker is the process of the stage.
    """
    from stages.placement import Placement

    if gpus != 0:
        local, gpus = _available(gpus)
        if gpus:
            return _on_gpus(gpus_per_training, local, gpus, cpus_per_worker)
    return Placement(workers=0 if in_process else 1, cpus_per_worker=cpus_per_worker or 1, wait_seconds=_wait_seconds())


def place_one(
    *,
    gpus: int | None,
    cpu_workers: int,
    min_gpus: int | None = None,
    min_workers: int | None = None,
    cpus_per_worker: int | None = None,
    in_process: bool = False,
) -> Placement:
    """One training on the whole budget: `gpus` GPUs, or `cpu_workers` processes that share the CPUs.

    With `min_gpus` or `min_workers` it also starts and continues on fewer of them; with `in_process` a single CPU
    worker is the process of the stage.
    """
    from pipeline.ray_backend.session import local_capacity
    from stages.placement import Placement

    if gpus != 0:
        local, gpus = _available(gpus)
        if gpus:
            least = _least("--min-gpus", min_gpus, "--gpus", gpus)
            return replace(_on_gpus(gpus, local, gpus, cpus_per_worker), min_workers=least)
    if in_process and cpu_workers > 1:
        raise PipelineError(f"--in-process trains on one worker: leave out --workers {cpu_workers}, or --in-process")
    local = local_capacity()
    share = cpus_per_worker or (max(1, int(local.cpus) // cpu_workers) if local else 1)
    return Placement(
        workers=0 if in_process else cpu_workers,
        min_workers=_least("--min-workers", min_workers, "--workers", cpu_workers),
        cpus_per_worker=share,
        detection_workers=cpu_workers * share,
        wait_seconds=_wait_seconds(),
    )


def _least(option: str, least: int | None, of: str, workers: int) -> int:
    if least is not None and least > workers:
        raise PipelineError(f"{option} {least} is more than {of} {workers}: ask for at most {workers}")
    return least or 0


def _wait_seconds() -> float:
    """How long a training waits for lost nodes."""
    text = os.environ.get(WAIT_VARIABLE, "600")
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < math.inf:
        raise PipelineError(f"{WAIT_VARIABLE}={text} is not a number of seconds: unset it, or set a number such as 600")
    return seconds


def planned_resources(*, gpus: int | None) -> Resources:
    """Resources that a plan assumes: the requested GPUs with as many CPUs as they need, or this machine's CPUs."""
    from pipeline.ray_backend.session import local_capacity
    from pipeline.stage import Resources

    requested = _available(gpus)[1] if gpus != 0 else 0
    local = local_capacity()
    if requested:
        return Resources(cpus=math.inf, gpus=requested)
    return Resources(cpus=local.cpus if local else os.cpu_count() or 1)


def _available(gpus: int | None) -> tuple[Resources | None, int]:
    """Resources of this machine, None on a cluster; and the number of GPUs to use."""
    from pipeline.ray_backend.session import local_capacity

    local = local_capacity()
    if gpus is None and local is None:
        raise PipelineError(
            "RAY_ADDRESS names a cluster: set the number of its GPUs to use with --gpus N (0: train on CPU)"
        )
    return local, int(local.gpus) if gpus is None and local else gpus or 0


def _on_gpus(workers: int, local: Resources | None, gpus: int, cpus_per_worker: int | None) -> Placement:
    from stages.placement import Placement

    share = cpus_per_worker or (max(1, min(CPUS_PER_GPU, int(local.cpus) // gpus)) if local else CPUS_PER_GPU)
    return Placement(
        workers=workers,
        use_gpu=True,
        cpus_per_worker=share,
        loader_processes=share - 1,
        detection_workers=workers,
        wait_seconds=_wait_seconds(),
    )
