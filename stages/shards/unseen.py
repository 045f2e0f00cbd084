"""Stages that detect in images which their weights must not have been trained on.

What the weights were trained on is read off the graph, so that no caller can leave it out. Lists of images are compared
when the graph is planned, before anything is computed; finished shards, whatever they were made from, before the first
image is detected.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field

from pipeline.keys.fingerprint import describe
from pipeline.stage import Context, Stage
from stages.shards.image_list import ListsImages
from stages.shards.overlap import refuse_shared_lists, refuse_shared_shards


@dataclass(frozen=True, kw_only=True)
class OnUnseenImages(Stage):
    """Detects in the images of some shards."""

    shards: Stage
    allow_trained_images: bool = False
    """Do not refuse: the numbers are no measure of how well the detector does on new images."""

    trained_on: tuple[Stage, ...] = field(init=False)
    """All shards behind the weights, unless their images are allowed."""

    def __post_init__(self) -> None:
        seen = () if self.allow_trained_images else trained_on(self.made_by())
        object.__setattr__(self, "trained_on", seen)

    @abstractmethod
    def made_by(self) -> Stage:
        """The stage whose result holds the weights."""

    def remedy(self) -> str:
        """What a user can do about images that were trained on."""
        return (
            "Score on other images (--train-split, --test-split and --split name splits), or allow it with "
            "--allow-trained-images: the numbers are then no measure of new images."
        )

    def external_digest(self) -> str:
        """Reads nothing. Raises PipelineError when images on the lists were trained on."""
        refuse_shared_lists(self.shards, self.trained_on, self.remedy())
        return ""

    def refuse_trained_images(self, ctx: Context) -> None:
        """Raises PipelineError when images in the finished shards were trained on."""
        seen = [ctx.input(shards) for shards in self.trained_on]
        refuse_shared_shards(ctx.input(self.shards), seen, self.remedy())


def trained_on(weights: Stage) -> tuple[Stage, ...]:
    """All shards that weights come from: those of their training, and of the trainings that it started from.

    A file of weights stands for those of its own.
    """
    if isinstance(weights, ListsImages):
        return (weights,)
    found = dict.fromkeys(stage for held in describe(weights).inputs.values() for stage in trained_on(held))
    return tuple(found)
