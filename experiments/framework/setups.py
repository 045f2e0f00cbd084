"""A run at a preset: its recipe, images and initial weights, and the user's changes to them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from experiments.framework.runs import PresetName, Run
from pipeline.errors import PipelineError
from pipeline.stage import Stage
from ssd_core.backbones.backbone import MobileNetV3, ResNet50, Vgg16
from ssd_core.detection.limits import LIMITS, PAPER_LIMITS, DetectionLimits
from ssd_core.spec.departures import Departure, differences, leaves
from ssd_core.spec.detector import DetectorSpec
from ssd_core.spec.recipe import Recipe
from stages.datasets.find import find_data_set
from stages.datasets.source import Source, discover_classes
from stages.evaluation.protocol import Protocol
from stages.graphs import Evaluation, scored, trained
from stages.placement import Placement
from stages.shards.shard import Shard
from stages.shards.splits import pair_of_sources, require_scorable
from stages.shards.trainable import nothing_to_train
from stages.training.imagenet_mobilenet_v3 import ImageNetMobileNetV3
from stages.training.imagenet_resnet50 import ImageNetResNet50
from stages.training.imagenet_vgg16 import ImageNetVgg16
from stages.training.initial import WeightsFile
from stages.training.train import Train


@dataclass(frozen=True, kw_only=True)
class Setup:
    """A run at a preset: what is trained, on which images, from which weights, and how it is scored."""

    run: Run
    preset: PresetName
    about: str
    recipe: Recipe
    train: tuple[Source, ...]
    test: tuple[Source, ...]
    """Empty where only the benchmark's server has the annotations."""

    initial: Stage | None = None
    strict: bool = False
    protocol: Protocol = "voc"
    """How the test images are scored."""

    limits: DetectionLimits = PAPER_LIMITS
    """Which predictions on the test and validation images become detections."""

    allow_trained_images: bool = False
    """Also score images that the detector was trained on."""

    leave_out_others: bool = False
    """Leave out test objects of classes that the training split lacks, instead of refusing them."""

    from_coco: tuple[tuple[str, str], ...] = ()
    """Pairs of class names, COCO's and the recipe's, that map the heads of a detector trained on COCO."""

    placement: Placement = field(default_factory=Placement)
    """Workers, GPUs and CPUs of its stages."""

    @property
    def variant(self) -> str:
        """Part of the addresses of its stages: `train/<variant>`."""
        return f"{self.run.name}/seed{self.recipe.seed}"

    def settings(self) -> dict[str, str]:
        """Settings of the training and of the detection, as texts, by the names that `-s` takes."""
        return all_settings(self.recipe, self.limits)

    def departures(self) -> list[Departure]:
        return all_departures(self.recipe, self.limits)

    def train_shards(self) -> Shard:
        return self._shards(self.train)

    def test_shards(self) -> Shard:
        return replace(self._shards(self.test), leave_out_others=self.leave_out_others)

    def training(self, *, table: str = "", label: str = "") -> Train:
        """The recipe trained on the training shards.

        `table` and `label`, tags in MLflow, name the table that it belongs to and its row; by default the detector.
        """
        shards = self.train_shards()
        tags = {
            "label": label or f"SSD{self.recipe.spec.input_size}",
            "variant": self.run.name,
            "seed": str(self.recipe.seed),
            "preset": self.preset,
            "data": shards.variant,
            "table": table,
        }
        return trained(
            self.recipe,
            shards=shards,
            initial=self.initial,
            variant=self.variant,
            tags=tuple((name, value) for name, value in tags.items() if value),
            placement=self.placement,
        )

    def evaluation(self, *, table: str = "", label: str = "") -> Evaluation:
        """The training's score on the test shards. Raises PipelineError where only a server can score it."""
        if not self.test:
            raise PipelineError(
                f"{self.run.title} is scored by a server: its test images have no public annotations. "
                "`ssdpipe run voc2012` writes the archive to submit; --data DIR uses other images"
            )
        training = self.training(table=table, label=label)
        return scored(
            training,
            test=self.test_shards(),
            variant=self.variant,
            training=training,
            placement=self.placement,
            protocol=self.protocol,
            limits=self.limits,
            allow_trained_images=self.allow_trained_images,
        )

    def _shards(self, sources: tuple[Source, ...]) -> Shard:
        name = "+".join(f"{source.name}-{source.split}" for source in sources)
        return Shard(sources=sources, classes=self.recipe.spec.classes, strict=self.strict, variant=name)


def all_settings(recipe: Recipe, limits: DetectionLimits) -> dict[str, str]:
    return {**dict(leaves(recipe)), **dict(leaves(limits, LIMITS))}


def all_departures(recipe: Recipe, limits: DetectionLimits) -> list[Departure]:
    """Settings of a training, and of the detection with its weights, that differ from the paper's SSD300 on VOC."""
    return differences(all_settings(recipe, limits), all_settings(Recipe(), PAPER_LIMITS))


def initial_for(spec: DetectorSpec, initial: Stage | None) -> Stage | None:
    """Initial weights that fit the backbone: for a VGG16 with fc6 and fc7 subsampled or in full."""
    match spec.backbone, initial:
        case ResNet50(), ImageNetVgg16():
            return ImageNetResNet50(variant="imagenet-resnet50")
        case MobileNetV3(), ImageNetVgg16():
            return ImageNetMobileNetV3(variant="imagenet-mobilenet-v3")
        case Vgg16(reduced=False), ImageNetVgg16(reduced=True) | WeightsFile(reduced=True):
            return replace(initial, reduced=False, variant=f"{initial.variant}-full")
    return initial


def on_data(
    setup: Setup,
    root: str,
    *,
    train_split: str = "",
    test_split: str = "",
    layout: str = "",
    holdout: float = 0.0,
    seed: int = 0,
) -> Setup:
    """The setup on the user's data set, in any layout; its classes are read from the annotations.

    By default the splits are trainval and test, or train and val: whichever exist and share no image. `holdout` divides
    the training split instead. Objects of classes that the training split lacks are left out of the test images, and
    reported.

    Raises PipelineError when one of the two splits has no object that counts.
    """
    data_set = find_data_set(root, layout)
    train, test = pair_of_sources(data_set, train_split, test_split, holdout=holdout, seed=seed)
    require_scorable(test)
    if not (classes := discover_classes([train])):
        images = len(train.survey().ids)
        raise nothing_to_train(f"{train.name}/{train.split} ({root})", images, difficult=setup.recipe.train_difficult)
    spec = replace(setup.recipe.spec, classes=classes)
    recipe = replace(setup.recipe, spec=spec)
    return replace(setup, recipe=recipe, train=(train,), test=(test,), leave_out_others=True)


def starting_from(setup: Setup, initial: str) -> Setup:
    """The setup with other initial weights: `imagenet`, `scratch`, or a weights file."""
    if initial == "scratch":
        return replace(setup, initial=None)
    chosen: Stage = ImageNetVgg16(variant="imagenet-vgg16")
    if initial != "imagenet":
        chosen = WeightsFile(path=initial, variant=Path(initial).stem)
    return replace(setup, initial=initial_for(setup.recipe.spec, chosen))
