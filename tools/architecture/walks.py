"""Two small in-process walks through the code: an image to the loss, and a recipe to the table."""

from __future__ import annotations

import io
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import torch

from experiments.cli.requests import ExperimentRequest
from experiments.framework.experiment import Row as TableRow
from experiments.framework.presets import Preset
from experiments.framework.runs import Run
from experiments.framework.setups import Setup
from pipeline.execution.executor import InlineExecutor
from pipeline.execution.run_stage import StageContext
from pipeline.execution.scheduler import Scheduler
from pipeline.folder import Folder
from pipeline.planning.graph import Graph
from pipeline.planning.resolver import Resolver
from pipeline.stage import Stage
from pipeline.store.store import Store
from ssd_core.boxes.matching import Matches
from ssd_core.boxes.objects import Objects
from ssd_core.data.augment.pipeline import Augmented
from ssd_core.data.shards import Row, ShardSet
from ssd_core.data.training_stream import Batch, training_batches
from ssd_core.network.model import Detector
from ssd_core.spec.augmentation import STARRED
from ssd_core.spec.recipe import Recipe
from ssd_core.spec.schedule import Schedule
from ssd_core.spec.tiny import ssd_tiny
from ssd_core.training.checkpoint import CheckpointFolder
from ssd_core.training.trainer import Pace, Trainer
from ssd_core.training.world import World
from stages.datasets.annotation import Annotation
from stages.datasets.find import find_data_set
from stages.datasets.source import ListedImage, Listing
from stages.drawn.draw import Draw
from stages.drawn.vocabulary import CLASSES
from stages.placement import Placement
from stages.shards.shard import Shard
from stages.training.train import Train
from tools.architecture.trace import Stop, Trace

IMAGE = (ListedImage, Listing, Annotation, Row, Augmented, Batch, Objects, Matches)
"""Forms of an image on its path; besides these, encoded bytes, and arrays of its pixels, boxes and features."""

RECIPE = (ExperimentRequest, TableRow, Run, Preset, Setup, Recipe, Train)
"""Forms of a recipe, from the typed request to the stage that trains it."""

AFTER_THE_TABLE = "experiments/cli/report.py"
"""Where the walk ends: `ssdpipe run` prints the table, and then writes a page."""

SHORT = ("schedule.iterations=2", "schedule.drops=", "schedule.warmup=0")


def image_walk(place: Path) -> list[Stop]:
    """Trace a data set in VOC layout to the loss: a shard stage, and eight training steps on its shards."""
    source = find_data_set(_drawn_folder(place)).source("train")
    with Trace(_is_image) as sharding:
        shards = _result(Shard(sources=(source,), classes=CLASSES), place / "shards")
    recipe = Recipe(
        spec=ssd_tiny(CLASSES, 130),
        augmentation=STARRED,
        schedule=Schedule(iterations=8, base_lr=1e-4, drops=()),
        batch_size=4,
    )
    trainer = Trainer(
        recipe,
        Detector(recipe.spec),
        world=World(),
        checkpoints=CheckpointFolder(path=str(place / "checkpoints")),
        listener=_Silent(),
        pace=Pace(),
    )
    batches = training_batches(ShardSet(shards.path, shards.filesystem), recipe, stop=8)
    with Trace(_is_image) as training:
        trainer.run(batches)
    return list((sharding.stops | training.stops | sharding.stops).values())


def recipe_walk(place: Path) -> list[Stop]:
    """Trace `ssdpipe run ablation-augmentation --preset tiny --data DIR` to its table.

    The command's stages run in this process first; then the command itself prints the table.
    """
    store, data = str(place / "store"), _drawn_folder(place)
    with Trace(_is_recipe) as running:
        request = ExperimentRequest(experiment="ablation-augmentation", preset="tiny", data=data, settings=list(SHORT))
        _run(request.targets(Placement(workers=0)), store)
    with Trace(_is_recipe, until=AFTER_THE_TABLE) as command:
        _type(
            "run",
            "ablation-augmentation",
            "--preset",
            "tiny",
            "--data",
            data,
            *(f"-s{each}" for each in SHORT),
            store=store,
        )
    return list((command.stops | running.stops).values())


class _Silent:
    def point(self, step: int, values: Mapping[str, float]) -> None:
        pass

    def progress(self, step: int, total: int, note: str) -> None:
        pass


def _is_image(value: Any) -> bool:
    match value:
        case bytes():
            return value.startswith((b"\xff\xd8", b"<annotation"))
        case np.ndarray() | torch.Tensor():
            return value.ndim > 1
    return isinstance(value, IMAGE)


def _is_recipe(value: Any) -> bool:
    return isinstance(value, RECIPE)


def _drawn_folder(place: Path) -> str:
    return _result(Draw(train=24, val=0, test=8), place / "drawn").path


def _result(stage: Stage, place: Path) -> Folder:
    """Run a stage without inputs in this process and return its output folder."""
    folder = Folder(str(place))
    for name in ("out", "work"):
        (place / name).mkdir(parents=True)
    context = StageContext(key="walk", stage=stage, inputs={}, out=folder / "out", work=folder / "work")
    stage.run(context)
    return context.out


def _run(targets: tuple[Stage, ...], place: str) -> None:
    store, graph = Store.open(place), Graph(targets)
    store.prepare()
    Scheduler(graph, store, InlineExecutor(), Resolver(graph), run_id="walk").run().raise_for_failures()


def _type(*words: str, store: str) -> None:
    """Run a command and discard its output."""
    from experiments.cli.main import app

    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        app([*words, "--store", store, "--no-mlflow"], standalone_mode=False)
