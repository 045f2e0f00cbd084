"""From the options of a command to where its stages run."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING

from pipeline.errors import PipelineError

if TYPE_CHECKING:
    from pipeline.stage import Resources
    from stages.placement import Placement

CPUS_PER_GPU = 8
"""At most: decoding and augmentation of SSD300 keep about one fast GPU fed with these."""


def place(*, gpus: int | None, gpus_per_training: int) -> Placement:
    """Trainings beside each other, each on `gpus_per_training` GPUs, or on one CPU where there are none."""
    from stages.placement import Placement

    if gpus != 0:
        there, gpus = _there(gpus)
        if gpus:
            return _on_gpus(gpus_per_training, there, gpus)
    return Placement()


def place_one(*, gpus: int | None, cpu_workers: int) -> Placement:
    """One training on all of it: `gpus` GPUs, or `cpu_workers` processes that share the CPUs."""
    from pipeline.ray_backend.session import local_capacity
    from stages.placement import Placement

    if gpus != 0:
        there, gpus = _there(gpus)
        if gpus:
            return _on_gpus(gpus, there, gpus)
    here = local_capacity()
    share = max(1, int(here.cpus) // cpu_workers) if here else 1
    return Placement(workers=cpu_workers, cpus_per_worker=share, detection_workers=cpu_workers * share)


def room(*, gpus: int | None) -> Resources:
    """What a plan counts on: the GPUs that are meant, with as many CPUs as they need, or the CPUs of this machine."""
    from pipeline.ray_backend.session import local_capacity
    from pipeline.stage import Resources

    meant = _there(gpus)[1] if gpus != 0 else 0
    here = local_capacity()
    if meant:
        return Resources(cpus=math.inf, gpus=meant)
    return Resources(cpus=here.cpus if here else os.cpu_count() or 1)


def _there(gpus: int | None) -> tuple[Resources | None, int]:
    """What this machine has, None for a cluster; and how many GPUs are meant."""
    from pipeline.ray_backend.session import local_capacity

    here = local_capacity()
    if gpus is None and here is None:
        raise PipelineError(
            "RAY_ADDRESS names a cluster: say with --gpus N how many of its GPUs to use (0: train on CPU)"
        )
    return here, int(here.gpus) if gpus is None and here else gpus or 0


def _on_gpus(workers: int, here: Resources | None, gpus: int) -> Placement:
    from stages.placement import Placement

    share = max(1, min(CPUS_PER_GPU, int(here.cpus) // gpus)) if here else CPUS_PER_GPU
    return Placement(
        workers=workers, use_gpu=True, cpus_per_worker=share, loader_processes=share - 1, detection_workers=workers
    )
