"""The stage that draws the embedded data set: images with objects of six or twelve classes, for trials.

Objects measure from 8 % of the side to nearly the whole image, lie on textured backgrounds among distractors, and
occlude one another; see scene.py. Equal fields give equal bytes. There are two vocabularies, related as VOC's and
COCO's are, and two layouts; each vocabulary can be written in each layout.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.errors import PipelineError
from pipeline.stage import Context, Resources, Stage
from stages.drawn.likeness import Likeness


@dataclass(frozen=True, kw_only=True)
class Draw(Stage):
    """Draw the data set.

    In VOC layout the result holds Annotations, JPEGImages and ImageSets/Main, with trainval as train and val together;
    in COCO layout annotations/instances_<split>.json and <split>/<id>.jpg. Crowds are marked as such in COCO layout, as
    difficult in VOC layout.
    """

    train: int = 1200
    val: int = 0
    """A split without images gets no split file."""

    test: int = 300
    sides: tuple[int, int] = (160, 200)
    """Smallest and largest side in pixels; width and height are drawn independently."""

    seed: int = 0
    vocabulary: Likeness = "voc"
    layout: Likeness = "voc"
    packed: bool = False
    """Commit all files as one archive: few requests on an object store. Sources that read the stage's result see no
    difference; as a folder of its own, for `--data`, it must be unpacked."""

    def __post_init__(self) -> None:
        if min(self.train, self.val, self.test, self.seed) < 0 or self.train + self.val + self.test == 0:
            raise PipelineError(
                "a drawn data set needs counts and a seed of 0 or more, and at least one image: "
                f"train={self.train}, val={self.val}, test={self.test}, seed={self.seed}"
            )
        if not 32 <= self.sides[0] <= self.sides[1]:
            raise PipelineError(f"sides must be (smallest, largest), the smallest 32 or more, but are {self.sides}")

    @property
    def resources(self) -> Resources:
        return Resources(nested=True, spreads=True)

    def run(self, ctx: Context) -> None:
        from stages.drawn.files import Drawing, draw_folder

        drawing = Drawing(seed=self.seed, sides=self.sides, vocabulary=self.vocabulary, layout=self.layout)
        draw_folder(drawing, {"train": self.train, "val": self.val, "test": self.test}, ctx, packed=self.packed)
