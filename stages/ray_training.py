"""The Ray Train job of a training stage: [1] workers, [2] their world, [3] the loop, [4] the result."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import uuid4

import torch

from pipeline.errors import PipelineError
from pipeline.folder import Folder
from ssd_core.checkpoint import CheckpointFolder
from ssd_core.initial import first_detector
from ssd_core.model import Detector
from ssd_core.settings import TrainingSettings
from ssd_core.shards import ShardSet
from ssd_core.stream import training_batches
from ssd_core.trainer import Pace, Trainer
from ssd_core.weights import Weights, load_weights, save_weights
from ssd_core.world import World
from stages.detection import require_classes
from stages.train import WEIGHTS, kept_weights

if TYPE_CHECKING:
    from ray.train.torch import TorchTrainer

    from pipeline.context import Context
    from stages.train import Train

CHECKPOINTS = "checkpoints"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class WorkerJob:
    """What every worker is sent."""

    settings: TrainingSettings
    pace: Pace
    shards: Folder
    initial: Folder | None
    work: Folder
    loader_processes: int
    use_gpu: bool
    ctx: Context

    def checkpoints(self) -> CheckpointFolder:
        folder = self.work / CHECKPOINTS
        return CheckpointFolder(path=folder.path, filesystem=folder.filesystem, every=self.settings.keep_every)


@dataclass(frozen=True)
class _ContextListener:
    ctx: Context

    def point(self, step: int, values: Mapping[str, float]) -> None:
        self.ctx.record(step, values)

    def progress(self, step: int, total: int, note: str) -> None:
        self.ctx.progress(step, total, note)


def train_on_ray(stage: Train, ctx: Context) -> None:
    """Run the training to its end and write the result; raises PipelineError for what the user can mend."""
    job = _job(stage, ctx)
    if job.checkpoints().newest_step() < job.settings.schedule.iterations:
        _train(stage, job)
    _write_result(job, ctx)  # [4]


def _train(stage: Train, job: WorkerJob) -> None:
    """Start the workers, and again when some are lost; an error of the data or the settings would only come again."""
    from ray.train import WorkerGroupError

    for failures_left in reversed(range(stage.worker_failures + 1)):
        try:
            _trainer(stage, job).fit()
            return
        except WorkerGroupError as error:
            for cause in error.worker_failures.values():
                if isinstance(cause, ValueError):
                    raise PipelineError(str(cause)) from error
            if not failures_left:
                raise
            _log.warning("workers were lost, %d more starts: %s", failures_left, error)


def _trainer(stage: Train, job: WorkerJob) -> TorchTrainer:
    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchConfig, TorchTrainer

    runs = job.work / "ray"  # its own state is never read again: see ssd_core.checkpoint
    runs.delete()
    return TorchTrainer(  # [1]
        _work,
        train_loop_config={"job": job},
        torch_config=TorchConfig(backend="nccl" if stage.use_gpu else "gloo"),
        scaling_config=ScalingConfig(
            num_workers=stage.workers,
            use_gpu=stage.use_gpu,
            resources_per_worker={"CPU": stage.cpus_per_worker} | ({"GPU": 1} if stage.use_gpu else {}),
        ),
        run_config=RunConfig(
            name=uuid4().hex,
            storage_path=runs.path,
            storage_filesystem=runs.filesystem,
            failure_config=FailureConfig(max_failures=0),
        ),
    )


def _job(stage: Train, ctx: Context) -> WorkerJob:
    recipe = stage.recipe
    return WorkerJob(
        settings=recipe,
        pace=Pace(
            log_steps=stage.log_steps,
            checkpoint_steps=stage.checkpoint_steps,
            checkpoint_seconds=stage.checkpoint_seconds,
        ),
        shards=ctx.input(recipe.data),
        initial=ctx.input(recipe.initial) if recipe.initial else None,
        work=ctx.work,
        loader_processes=stage.loader_processes,
        use_gpu=stage.use_gpu,
        ctx=ctx,
    )


def _work(config: dict[str, WorkerJob]) -> None:
    """One worker of the group."""
    from ray.train import get_context

    place, job = get_context(), config["job"]
    if (
        job.use_gpu and torch.cuda.is_available()
    ):  # [2] not Ray's get_device: it hands out cuda:0 where GPUs are only declared
        device = torch.device("cuda", place.get_local_rank())
        torch.cuda.set_device(device)
    else:
        device = torch.device("cpu")
    run_worker(job, World(rank=place.get_world_rank(), size=place.get_world_size(), device=device))


def run_worker(job: WorkerJob, world: World) -> Detector:
    """The part of one worker, without a word of Ray: build, restore, train."""
    shards = ShardSet(job.shards.path, job.shards.filesystem)
    require_classes(shards, job.settings.spec)
    detector = first_detector(job.settings.spec, job.settings.seed, _initial_weights(job))
    settings = replace(job.settings, spec=detector.spec)  # its preprocessing is that of the initial weights
    trainer = Trainer(  # [3]
        settings,
        detector,
        world=world,
        checkpoints=job.checkpoints(),
        listener=_ContextListener(job.ctx),
        pace=job.pace,
    )
    batches = training_batches(
        shards,
        settings,
        start=trainer.step,
        stop=settings.schedule.iterations,
        rank=world.rank,
        world=world.size,
        loader_processes=job.loader_processes,
        pin_memory=world.device.type == "cuda",
    )
    return trainer.run(batches)


def _initial_weights(job: WorkerJob) -> Weights | None:
    if job.initial is None:
        return None
    with job.initial.open_input(WEIGHTS) as stream:
        return load_weights(stream)


def _write_result(job: WorkerJob, ctx: Context) -> None:
    checkpoints, last = job.checkpoints(), job.settings.schedule.iterations
    every = job.settings.keep_every or last + 1
    names = {WEIGHTS: last} | {kept_weights(step): step for step in range(every, last + 1, every)}
    spec = first_detector(job.settings.spec, job.settings.seed, _initial_weights(job)).spec
    for name, step in names.items():
        with ctx.out.open_output(name) as stream:
            save_weights(Weights(spec=spec, state=checkpoints.read(step)["model"]), stream)
