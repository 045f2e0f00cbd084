"""What a detector is trained and tested on, and how: the named recipes, and the presets that scale an experiment.

full     the paper's SSD300, trained on VOC 07+12 for 60k iterations from ImageNet weights
short    the same detector and data over a tenth of the iterations
tiny     a small detector on drawn images, from scratch, in minutes on two CPU cores
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.errors import PipelineError
from pipeline.stage import Stage
from ssd_core.augment.spec import FLIP_ONLY, PAPER, STARRED
from ssd_core.backbones import ResNet50, Vgg16
from ssd_core.schedule import Schedule
from ssd_core.settings import TrainingSettings
from ssd_core.spec import DetectorSpec, ssd300_full_vgg, ssd512
from ssd_core.tiny_spec import ssd_tiny
from stages.drawn import CLASSES as DRAWN_CLASSES
from stages.drawn import Draw
from stages.graphs import Protocol
from stages.initial import ImageNetResNet50, ImageNetVgg16, WeightsFile
from stages.layouts import TESTING, TRAINING, find_data_set
from stages.recipe import Recipe
from stages.shard import Shard
from stages.source import Source, discover_classes
from stages.suggestion import suggestion
from stages.voc import VocFolder


@dataclass(frozen=True, kw_only=True)
class Setup:
    """Everything that the rows of an experiment share."""

    name: str
    about: str
    settings: TrainingSettings
    train: tuple[Source, ...]
    test: tuple[Source, ...]
    initial: Stage | None = None
    published: float | None = None
    """The paper's mAP on VOC2007 test, as a fraction, where this is a row of its tables."""

    strict: bool = False
    protocol: Protocol = "voc"
    """How the test images are scored."""

    def train_shards(self) -> Shard:
        return Shard(sources=self.train, classes=self.settings.spec.classes, strict=self.strict, variant="train")

    def test_shards(self) -> Shard:
        return Shard(sources=self.test, classes=self.settings.spec.classes, strict=self.strict, variant="test")

    def recipe(self, settings: TrainingSettings | None = None) -> Recipe:
        """The recipe of these settings (the setup's own without any) on the training shards."""
        chosen = settings or self.settings
        fields = {name: getattr(chosen, name) for name in TrainingSettings.__dataclass_fields__}
        return Recipe(**fields, data=self.train_shards(), initial=initial_for(chosen.spec, self.initial))


def initial_for(spec: DetectorSpec, initial: Stage | None) -> Stage | None:
    """First weights that fit the network: a ResNet-50, or a VGG16 with fc6 and fc7 subsampled or in full."""
    match spec.backbone, initial:
        case ResNet50(), ImageNetVgg16():
            return ImageNetResNet50(variant="imagenet-resnet50")
        case Vgg16(reduced=False), ImageNetVgg16(reduced=True) | WeightsFile(reduced=True):
            return replace(initial, reduced=False, variant=f"{initial.variant}-full")
    return initial


TINY_SCHEDULE = Schedule(iterations=1650, base_lr=7e-4, drops=(1350,), warmup=50)


def _voc(year: str, split: str) -> VocFolder:
    root = os.environ.get("SSDPIPE_DATA", "data")
    return VocFolder(name=f"voc{year}", root=root, folder=f"VOC{year}", split=split)


def _paper(settings: TrainingSettings, *, name: str, about: str, published: float | None) -> Setup:
    return Setup(
        name=name,
        about=about,
        settings=settings,
        train=(_voc("2007", "trainval"), _voc("2012", "trainval")),
        test=(_voc("2007", "test"),),
        initial=initial_for(settings.spec, ImageNetVgg16(variant="imagenet-vgg16")),
        published=published,
    )


def _full() -> Setup:
    return _paper(
        TrainingSettings(), name="ssd300-voc0712", about="SSD300 on VOC 07+12, 60k iterations", published=0.743
    )


def _starred() -> Setup:
    return _paper(
        TrainingSettings(augmentation=STARRED, schedule=Schedule().scaled(2)),
        name="ssd300-expand-voc0712",
        about="SSD300* on VOC 07+12: images zoomed out as well, 120k iterations",
        published=0.772,
    )


def _ssd512() -> Setup:
    return _paper(
        TrainingSettings(spec=ssd512()),
        name="ssd512-voc0712",
        about="SSD512 on VOC 07+12, 60k iterations",
        published=0.768,
    )


def _ssd512_starred() -> Setup:
    return _paper(
        TrainingSettings(spec=ssd512(), augmentation=STARRED, schedule=Schedule().scaled(2)),
        name="ssd512-expand-voc0712",
        about="SSD512* on VOC 07+12: images zoomed out as well, 120k iterations",
        published=0.798,
    )


def _full_vgg() -> Setup:
    return _paper(
        TrainingSettings(spec=ssd300_full_vgg()),
        name="ssd300-full-vgg-voc0712",
        about='SSD300 on the full VGG16 on VOC 07+12, 60k iterations: "no atrous" in Table 2',
        published=0.742,
    )


def _short() -> Setup:
    return _paper(
        TrainingSettings(schedule=Schedule().scaled(0.1)),
        name="ssd300-short-voc0712",
        about="SSD300 on VOC 07+12, a tenth of the iterations: no row of the paper",
        published=None,
    )


def _tiny() -> Setup:
    drawn = Draw()
    return Setup(
        name="ssd-tiny",
        about="a small detector on drawn images, from scratch, for two CPU cores",
        settings=TrainingSettings(
            spec=ssd_tiny(DRAWN_CLASSES),
            augmentation=FLIP_ONLY,
            schedule=TINY_SCHEDULE,
            batch_size=4,
            optimiser="adamw",
        ),
        train=(VocFolder(name="drawn", split="train", within=drawn),),
        test=(VocFolder(name="drawn", split="test", within=drawn),),
    )


def _narrow() -> Setup:
    schedule = Schedule(iterations=3200, base_lr=7e-4, drops=(2500, 3000), warmup=100)
    spec = ssd_tiny(DRAWN_CLASSES, input_size=200)
    tiny = _tiny()
    return replace(
        tiny,
        name="ssd200-narrow",
        about="an eighth of SSD300's width at an input of 200, from scratch: for data of one's own on CPU cores",
        settings=replace(tiny.settings, spec=spec, augmentation=PAPER, schedule=schedule, batch_size=8),
    )


RECIPES: dict[str, Callable[[], Setup]] = {
    "ssd300-voc0712": _full,
    "ssd300-expand-voc0712": _starred,
    "ssd512-voc0712": _ssd512,
    "ssd512-expand-voc0712": _ssd512_starred,
    "ssd300-full-vgg-voc0712": _full_vgg,
    "ssd300-short-voc0712": _short,
    "ssd-tiny": _tiny,
    "ssd200-narrow": _narrow,
}
PRESETS = {"full": "ssd300-voc0712", "short": "ssd300-short-voc0712", "tiny": "ssd-tiny"}


def recipe_setup(name: str) -> Setup:
    """The setup of a named recipe. PipelineError with a near miss when there is none."""
    if name not in RECIPES:
        raise PipelineError(f"there is no recipe {name!r}; {suggestion(name, RECIPES)}")
    return RECIPES[name]()


def preset_setup(name: str) -> Setup:
    """The setup of a preset. PipelineError with a near miss when there is none."""
    if name not in PRESETS:
        raise PipelineError(f"there is no preset {name!r}; {suggestion(name, PRESETS)}")
    return recipe_setup(PRESETS[name])


def on_data(setup: Setup, root: str, *, train_split: str = "", test_split: str = "", layout: str = "") -> Setup:
    """The setup on a data set of the user's, in any layout; its classes are those found in the annotations.

    Without names of splits: trainval or else train, and test or else val, as they are there.
    """
    found = find_data_set(root, layout)
    train = found.source(train_split or found.usual(TRAINING))
    test = found.source(test_split or found.usual(TESTING))
    spec = replace(setup.settings.spec, classes=discover_classes([train]))
    settings = replace(setup.settings, spec=spec)
    return replace(setup, settings=settings, train=(train,), test=(test,), published=None)


def starting_from(setup: Setup, initial: str) -> Setup:
    """The setup with other first weights: `imagenet`, `scratch`, or a file."""
    if initial == "scratch":
        return replace(setup, initial=None)
    chosen: Stage = ImageNetVgg16(variant="imagenet-vgg16")
    if initial != "imagenet":
        chosen = WeightsFile(path=initial, variant=Path(initial).stem)
    return replace(setup, initial=initial_for(setup.settings.spec, chosen))
