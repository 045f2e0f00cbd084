"""The self-check of a group of Ray Train workers: placed, connected and timed as those of a training.

Tested in tests/experiments/cli/test_doctor_cluster.py.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from typing import Any
from uuid import uuid4

import msgspec

from pipeline.errors import PipelineError
from pipeline.folder import Folder
from pipeline.ray_backend.nodes import await_room
from pipeline.ray_backend.same_code import Code
from pipeline.stage import Resources
from stages.training.selfcheck.reduction import Reduction

_log = logging.getLogger(__name__)
REPORT = "report.json"
ROOM_SECONDS = 15.0
CONNECT_SECONDS = 60
"""How long the workers may take to answer one another: then a network that drops packets ends the check."""


@dataclass(frozen=True, kw_only=True)
class GroupReport:
    """What a group of workers found."""

    backend: str
    network: str
    batch_size: int
    workers: tuple[dict[str, str], ...]
    """Address and device of each, by rank."""

    reduction: Reduction
    losses: tuple[float, ...]
    losses_alone: tuple[float, ...]
    """On one worker with the whole batches."""

    rate: float
    """Images per second of all workers."""

    rate_alone: float


def check_group(workers: int, *, use_gpu: bool, store: Folder) -> GroupReport:
    """Start the workers and let them compute; files below the store are deleted again.

    Raises PipelineError when there is no room for the workers, or they fail.
    """
    wanted = Resources(cpus=workers, gpus=workers * use_gpu, nested=True, workers=workers)
    await_room(wanted, _log.info, limit=ROOM_SECONDS)
    place = store / f".doctor-{uuid4().hex}"
    try:
        _fit(wanted, place)
        return msgspec.json.decode(place.read_bytes(REPORT), type=GroupReport)
    finally:
        place.delete()


def _fit(wanted: Resources, place: Folder) -> None:
    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchTrainer
    from ray.train.v2.api.exceptions import TrainingFailedError

    from stages.training.process_group import ProcessGroup

    use_gpu = wanted.gpus > 0
    trainer = TorchTrainer(
        _work,
        train_loop_config={"place": place, "code": Code.this(), "use_gpu": use_gpu},
        torch_config=ProcessGroup(use_gpu=use_gpu, work=place, timeout_s=CONNECT_SECONDS),
        scaling_config=ScalingConfig(
            num_workers=wanted.workers,
            use_gpu=use_gpu,
            resources_per_worker={"CPU": 1} | ({"GPU": 1} if use_gpu else {}),
            placement_strategy="SPREAD",  # over all nodes
        ),
        run_config=RunConfig(
            name="ray",
            storage_path=place.path,
            storage_filesystem=place.filesystem,
            failure_config=FailureConfig(max_failures=0, controller_failure_limit=0, max_preemption_failures=0),
        ),
    )
    try:
        trainer.fit()
    except TrainingFailedError as error:
        raise PipelineError(f"{wanted.workers} workers cannot train together: {_cause(error)}") from error


def _cause(error: Any) -> str:
    """The error of the first worker that failed, or of the group."""
    causes = [*getattr(error, "worker_failures", {}).values(), getattr(error, "controller_failure", None), error]
    first = next(cause for cause in causes if cause is not None)
    return (str(first).strip().splitlines() or [type(first).__name__])[-1]


def _work(config: dict[str, Any]) -> None:
    """One worker of the group: all compute together, then the first alone."""
    import torch
    import torch.distributed as dist
    from ray.train import get_context
    from ray.train.torch import get_device

    from ssd_core.training.world import World
    from stages.training.selfcheck.reduction import reduce_exactly
    from stages.training.selfcheck.trial import images_per_second, losses, trial_recipe

    config["code"].require()
    context, on_gpu = get_context(), config["use_gpu"] and torch.cuda.is_available()
    device = get_device() if on_gpu else torch.device("cpu")
    if on_gpu:
        torch.cuda.set_device(device)
    world = World(rank=context.get_world_rank(), size=context.get_world_size(), device=device)
    recipe, alone = trial_recipe(world.size, on_gpu=on_gpu), World(device=device)
    workers = world.gather(_described(device))
    reduction, together, rate = reduce_exactly(world), losses(world, recipe), images_per_second(world, recipe)
    if world.is_first:
        report = GroupReport(
            backend=dist.get_backend() if world.size > 1 else "none",
            network="SSD300 of the paper" if on_gpu else "ssd-tiny",
            batch_size=recipe.batch_size,
            workers=tuple(workers),
            reduction=reduction,
            losses=tuple(together),
            losses_alone=tuple(losses(alone, recipe)),
            rate=rate,
            rate_alone=images_per_second(alone, recipe),
        )
        config["place"].write_json(REPORT, asdict(report))
    world.from_first(0)  # no worker leaves the group before the first has finished


def _described(device: Any) -> dict[str, str]:
    import ray
    import torch

    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    return {"address": ray.util.get_node_ip_address(), "device": name}
