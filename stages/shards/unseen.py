"""Stages that detect in images that their weights must not have been trained on.

The training images are derived from the graph, so that no caller can forget to state them. Image lists are compared
when the graph is planned, before anything is computed; finished shards, whatever they were made from, are compared
before detection starts.
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
    """A stage that detects in the images of shards."""

    shards: Stage
    allow_trained_images: bool = False
    """Accept training images: the numbers then do not measure how well the detector does on new images."""

    trained_on: tuple[Stage, ...] = field(init=False)
    """All shards behind the weights; empty when their images are allowed."""

    def __post_init__(self) -> None:
        seen = () if self.allow_trained_images else trained_on(self.made_by())
        object.__setattr__(self, "trained_on", seen)

    @abstractmethod
    def made_by(self) -> Stage:
        """The stage whose result holds the weights."""

    def remedy(self) -> str:
        """What the user can do about images that were trained on, for the error message."""
        return (
            "Score on other images (--train-split and --test-split; --split for weights), or allow it with "
            "--allow-trained-images: the numbers then do not measure performance on new images."
        )

    def external_digest(self) -> str:
        """Empty, since nothing is hashed. Raises PipelineError when the lists share images with the training."""
        refuse_shared_lists(self.shards, self.trained_on, self.remedy())
        return ""

    def refuse_trained_images(self, ctx: Context) -> None:
        """Raises PipelineError when the finished shards share images with those of the training."""
        seen = [ctx.input(shards) for shards in self.trained_on]
        refuse_shared_shards(ctx.input(self.shards), seen, self.remedy())


def trained_on(weights: Stage) -> tuple[Stage, ...]:
    """All shards behind these weights: those of their training and of the trainings that it started from.

    A weights file stage represents its own training images. What a stage holds as `shards` are shards, whatever makes
    them: a stage of the user's cannot list its images, but its result is compared.
    """
    if isinstance(weights, ListsImages):
        return (weights,)
    inputs = describe(weights).inputs.items()
    return tuple(dict.fromkeys(stage for path, held in inputs for stage in _shards_behind(path, held)))


def _shards_behind(path: str, held: Stage) -> tuple[Stage, ...]:
    return (held,) if path == "shards" else trained_on(held)
