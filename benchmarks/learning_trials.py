"""Trials of the comparison with torchvision: data sets, detectors, budgets, and the individual trainings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from learning_data import with_objects
from learning_packing import packed
from learning_sides import Whose

from ssd_core.data.shards import ShardSet
from ssd_core.spec.augmentation import STARRED
from ssd_core.spec.paper import ssd300
from ssd_core.spec.recipe import Recipe
from ssd_core.spec.schedule import Schedule
from ssd_core.spec.tiny import ssd_tiny
from ssd_core.spec.vocabularies import VOC_CLASSES
from stages.datasets.voc import VocFolder
from stages.shards.shard import Shard


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A data set with a detector and training budget that suit it."""

    name: str
    folder: str
    train: str
    test: str
    classes: tuple[str, ...]
    ignored: tuple[str, ...] = ()
    recipe: Recipe

    def shards(self, data: Path, work: Path) -> tuple[ShardSet, ShardSet]:
        """Return the training images that have an object, and all test images."""
        stages = [
            Shard(
                sources=(VocFolder(name=self.name, root=str(data / self.folder), split=split),),
                classes=self.classes,
                ignore_classes=self.ignored,
                variant=split,
            )
            for split in (self.train, self.test)
        ]
        train, test = packed(stages, work / "store")
        return with_objects(train, work / f"{self.name}-{self.train}"), test


def _narrow(classes: tuple[str, ...], input_size: int, iterations: int) -> Recipe:
    schedule = Schedule(iterations=iterations, base_lr=7e-4, drops=(round(0.8 * iterations),), warmup=100)
    spec = ssd_tiny(classes, input_size)
    return Recipe(spec=spec, augmentation=STARRED, schedule=schedule, batch_size=8, optimiser="adamw")


CELLS = ("Platelets", "RBC", "WBC")
LARGE = ("aeroplane", "cat")
"""Classes that a narrow network learns from scratch within minutes; of seven classes it learnt none in 2000 steps."""
TRIALS = {
    trial.name: trial
    for trial in (
        Trial(
            name="bccd",
            folder="bccd/BCCD",
            train="trainval",
            test="test",
            classes=CELLS,
            recipe=_narrow(CELLS, 200, 1200),
        ),
        Trial(
            name="voc2007",
            folder="voc2007/VOC2007",
            train="trainval",
            test="test",
            classes=LARGE,
            ignored=tuple(name for name in VOC_CLASSES if name not in LARGE),
            recipe=_narrow(LARGE, 128, 1500),
        ),
    )
}
FULL = Trial(
    name="voc2007-full",
    folder="voc2007/VOC2007",
    train="trainval",
    test="test",
    classes=VOC_CLASSES,
    recipe=Recipe(
        spec=ssd300(),
        augmentation=STARRED,
        schedule=Schedule(iterations=12_000, drops=(8_000, 10_000), warmup=500),
    ),
)
"""77 epochs of 5,008 images; the warm-up prevents both sides from diverging in their first steps."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One training."""

    trial: str
    loss: Whose
    augment: Whose
    seed: int

    @property
    def name(self) -> str:
        return f"{self.trial},loss={self.loss},augment={self.augment},seed={self.seed}"


def trial_of(name: str, iterations: int = 0) -> Trial:
    """Return a trial by name, rescaled to another number of iterations if one is given."""
    trial = FULL if name == FULL.name else TRIALS[name]
    if not iterations:
        return trial
    schedule = trial.recipe.schedule.scaled(iterations / trial.recipe.schedule.iterations)
    return replace(trial, recipe=replace(trial.recipe, schedule=schedule))
