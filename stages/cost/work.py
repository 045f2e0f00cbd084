"""The work of a stage, derived from its fields: images, and arithmetic per image.

No stage imports this module, so that a better estimate changes no key.

Tested in tests/stages/cost/test_cost.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Literal

from pipeline.errors import PipelineError
from pipeline.stage import Stage
from pipeline.store.store import Manifest, Store
from ssd_core.spec.detector import DetectorSpec
from ssd_core.spec.recipe import Recipe
from stages.datasets.holdout import HeldOut, undivided
from stages.datasets.published import PUBLISHED
from stages.datasets.source import Source
from stages.detection.detect import Detect
from stages.drawn.draw import Draw
from stages.evaluation.validate import Validate
from stages.shards.shard import Shard
from stages.training.part import TrainPart
from stages.training.train import Train

if TYPE_CHECKING:
    from ssd_core.network.network_cost import NetworkCost

FORWARD, TRAINING = 1, 3
"""Number of passes: the gradients of activations and of weights cost about one forward pass each."""

Precision = Literal["fp32", "bf16"]

COCO_IMAGES = {"trainval35k": 82_783 + 35_504, "minival": 5_000}
"""Number of images in the COCO splits that are composed from several annotation files."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """Number of images, and what is done with each."""

    images: int
    spec: DetectorSpec | None = None
    """The detector that processes them; None if no network is involved."""

    passes: int = 0
    precision: Precision = "fp32"

    @property
    def shape(self) -> tuple[object, ...]:
        """For one stage class, works of equal shape take equally long per image."""
        return self.spec, self.precision

    @property
    def flops(self) -> float:
        """Floating-point operations of the convolutions: two per multiply-add."""
        return 2.0 * self.passes * self.images * cost_of(self.spec).multiply_adds if self.spec else 0.0


def training_work(recipe: Recipe) -> Work:
    """Work of a whole training."""
    return Work(
        images=recipe.schedule.iterations * recipe.batch_size,
        spec=recipe.spec,
        passes=TRAINING,
        precision=recipe.precision,
    )


@cache
def cost_of(spec: DetectorSpec) -> NetworkCost:
    """Parameters and multiply-adds; torch is imported only at the first call for a specification."""
    from ssd_core.network.network_cost import network_cost

    return network_cost(spec)


class Works:
    """Work of the stages of a graph; for committed shards the number of images is read from their result."""

    def __init__(self, store: Store, results: Mapping[Stage, Manifest]) -> None:
        self._store = store
        self._results = results

    def of(self, stage: Stage) -> Work | None:
        """Work of a stage; None if it is not counted in images, or their number is not known yet."""
        match stage:
            case TrainPart(until=until, after=after):
                whole = training_work(stage.recipe)
                share = (until - (after.until if after else 0)) / stage.recipe.schedule.iterations
                return replace(whole, images=round(whole.images * share))
            case Train():
                return training_work(stage.recipe)
            case Draw():
                return Work(images=sum(drawn_images(stage, split) for split in ("trainval", "test")))
            case Shard() if images := self.images(stage):
                return Work(images=images)
            case Detect(weights=weights) | Validate(training=weights) if images := self.images(stage.shards):
                times = len(stage.iterations) if isinstance(stage, Validate) else 1
                spec = weights.recipe.spec if isinstance(weights, Train) else None
                return Work(images=images * times, spec=spec, passes=FORWARD)
        return None

    def images(self, shards: Stage) -> int:
        """Number of images in shards, committed or planned; 0 if unknown."""
        if manifest := self._results.get(shards):
            return sharded_images(self._store, manifest)
        counts = [listed_images(source) for source in shards.sources] if isinstance(shards, Shard) else []
        return sum(counts) if all(counts) else 0


def sharded_images(store: Store, manifest: Manifest) -> int:
    """Number of images in a result; 0 if it holds no shards, or cannot be read back."""
    from stages.shards.counts import read_counts

    try:
        return read_counts(store.output(manifest)).images
    except PipelineError:
        return 0


def listed_images(source: Source) -> int:
    """Number of images that a split lists; the published number if it is missing here; 0 if unknown.

    Of a side of drawn images it is the expected number.
    """
    if isinstance(source.within, Draw):
        share = (source.share if source.tests else 1 - source.share) if isinstance(source, HeldOut) else 1
        return round(share * drawn_images(source.within, undivided(source).split))
    try:
        return len(set(source.survey().ids))
    except PipelineError:
        known = PUBLISHED[source.name].images | COCO_IMAGES if source.name in PUBLISHED else {}
        return known.get(source.split, 0)


def drawn_images(draw: Draw, split: str) -> int:
    """Number of images in a split of the drawn data set."""
    return {"train": draw.train, "val": draw.val, "trainval": draw.train + draw.val, "test": draw.test}[split]
