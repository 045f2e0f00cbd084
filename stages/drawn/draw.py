"""The embedded data set, drawn: images with objects of six or twelve classes, for trying things out.

Objects from 8 % of the side to nearly the whole image, on textured grounds, among scraps that are no object, partly
hidden by one another; see scene.py. The same fields give the same bytes. There are two vocabularies, in the
relation of VOC's and COCO's, and two layouts; each vocabulary may be written in each layout.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.errors import PipelineError
from pipeline.stage import Context, Resources, Stage
from stages.drawn.likeness import Likeness


@dataclass(frozen=True, kw_only=True)
class Draw(Stage):
    """Draw the data set.

    In VOC layout the result holds Annotations, JPEGImages and ImageSets/Main, with trainval for train and val; in COCO
    layout annotations/instances_<split>.json and <split>/<id>.jpg, with crowds marked (difficult ones in VOC layout).
    """

    train: int = 1200
    val: int = 0
    """The split file of a split without images is not written."""

    test: int = 300
    sides: tuple[int, int] = (160, 200)
    """Smallest and largest width and height in pixels, drawn independently."""

    seed: int = 0
    vocabulary: Likeness = "voc"
    layout: Likeness = "voc"

    def __post_init__(self) -> None:
        if min(self.train, self.val, self.test, self.seed) < 0 or self.train + self.val + self.test == 0:
            raise PipelineError(
                f"a drawn data set needs counts and a seed of 0 or more, and an image: train={self.train}, "
                f"val={self.val}, test={self.test}, seed={self.seed}"
            )
        if not 32 <= self.sides[0] <= self.sides[1]:
            raise PipelineError(f"sides must be (smallest, largest) with a smallest of 32 or more: {self.sides}")

    @property
    def resources(self) -> Resources:
        return Resources(nested=True)

    def run(self, ctx: Context) -> None:
        from stages.drawn.files import Drawing, draw_folder

        drawing = Drawing(seed=self.seed, sides=self.sides, vocabulary=self.vocabulary, layout=self.layout)
        draw_folder(drawing, {"train": self.train, "val": self.val, "test": self.test}, ctx)
