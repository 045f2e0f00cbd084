"""What a stage has to do, told from its fields: images, and arithmetic for each.

This stands apart from the stages, and none of them imports it: a better estimate changes no key.

Tested in tests/stages/cost/test_cost.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

from pipeline.errors import PipelineError
from pipeline.stage import Stage
from pipeline.store.store import Manifest, Store
from ssd_core.spec.detector import DetectorSpec
from ssd_core.spec.recipe import Recipe
from stages.datasets.published import PUBLISHED
from stages.datasets.source import Source
from stages.detection.detect import Detect
from stages.drawn.draw import Draw
from stages.evaluation.validate import Validate
from stages.shards.shard import Shard
from stages.training.train import Train

if TYPE_CHECKING:
    from ssd_core.network.network_cost import NetworkCost

FORWARD, TRAINING = 1, 3
"""Passes: the gradients of the activations and those of the weights cost about one forward pass each."""

Precision = Literal["fp32", "bf16"]

COCO_IMAGES = {"trainval35k": 82_783 + 35_504, "minival": 5_000}
"""Of COCO's splits that are put together from those of its files."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """Images, and what is done with each."""

    images: int
    spec: DetectorSpec | None = None
    """The detector that sees them; None where no network is at work."""

    passes: int = 0
    precision: Precision = "fp32"

    @property
    def shape(self) -> tuple[object, ...]:
        """Work of one stage class and shape takes equally long for an image."""
        return self.spec, self.precision

    @property
    def flops(self) -> float:
        """Floating-point operations of the convolutions: two for each multiply-add."""
        return 2.0 * self.passes * self.images * cost_of(self.spec).multiply_adds if self.spec else 0.0


def training_work(recipe: Recipe) -> Work:
    """Of a whole training."""
    return Work(
        images=recipe.schedule.iterations * recipe.batch_size,
        spec=recipe.spec,
        passes=TRAINING,
        precision=recipe.precision,
    )


@cache
def cost_of(spec: DetectorSpec) -> NetworkCost:
    """Parameters and multiply-adds; asked for often, and torch is imported for the first only."""
    from ssd_core.network.network_cost import network_cost

    return network_cost(spec)


class Works:
    """Work of the stages of a graph; results that are there already tell how many images they hold."""

    def __init__(self, store: Store, results: Mapping[Stage, Manifest]) -> None:
        self._store = store
        self._results = results

    def of(self, stage: Stage) -> Work | None:
        """None for a stage that is not counted in images, or whose images cannot be told yet."""
        match stage:
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
        """Images of shards that are there, or will be; 0 when that cannot be told."""
        if manifest := self._results.get(shards):
            return sharded_images(self._store, manifest)
        counts = [listed_images(source) for source in shards.sources] if isinstance(shards, Shard) else []
        return sum(counts) if all(counts) else 0


def sharded_images(store: Store, manifest: Manifest) -> int:
    """Images of a result; 0 when it is none of shards."""
    from ssd_core.data.shards import MANIFEST

    output = store.output(manifest)
    return int(output.read_json(MANIFEST)["images"]) if output.exists(MANIFEST) else 0


def listed_images(source: Source) -> int:
    """Images of a split: those that it lists, or as many as are published where it is not at hand; 0 when unknown."""
    if isinstance(source.within, Draw):
        return drawn_images(source.within, source.split)
    try:
        return len(set(source.survey().ids))
    except PipelineError:
        known = PUBLISHED[source.name].images | COCO_IMAGES if source.name in PUBLISHED else {}
        return known.get(source.split, 0)


def drawn_images(draw: Draw, split: str) -> int:
    """Images of a split of the drawn data set."""
    return {"train": draw.train, "val": draw.val, "trainval": draw.train + draw.val, "test": draw.test}[split]
