"""What the drawn classes are called, look like, and are like: two vocabularies of one world.

The second has more classes, and for six of them other names or the same, as COCO has for the classes of VOC. Colours of
alike classes lie side by side, so that their shapes tell them apart, and a detector can take one for the other.
"""

from __future__ import annotations

from dataclasses import dataclass

from stages.drawn import shapes
from stages.drawn.likeness import Likeness
from stages.drawn.shapes import Shape


@dataclass(frozen=True, kw_only=True)
class DrawnClass:
    name: str
    shape: Shape
    hue: float
    """Middle of its hues, as a fraction of the circle: 0 red, 0.33 green, 0.67 blue."""

    category: int
    """Id in files of COCO layout; some numbers are not used, as there."""


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """Classes, and what images of them hold beside single objects."""

    classes: tuple[DrawnClass, ...]
    similar: tuple[tuple[str, ...], ...]
    """Sets of classes of which any two are alike."""

    groups: tuple[tuple[str, tuple[str, ...]], ...]
    """Under what results are summed up, as under animals, vehicles and furniture in VOC."""

    crowds: float = 0.0
    """Share of images with a crowd: many small objects of one class under one box."""

    empty: float = 0.0
    """Share of images without any object."""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(item.name for item in self.classes)


VOC_LIKE = Vocabulary(
    classes=(
        DrawnClass(name="cross", shape=shapes.cross, hue=0.5, category=1),
        DrawnClass(name="disc", shape=shapes.disc, hue=0.0, category=2),
        DrawnClass(name="ring", shape=shapes.ring, hue=0.33, category=3),
        DrawnClass(name="square", shape=shapes.square, hue=0.62, category=5),
        DrawnClass(name="star", shape=shapes.star, hue=0.83, category=6),
        DrawnClass(name="triangle", shape=shapes.triangle, hue=0.15, category=8),
    ),
    similar=(("disc", "ring"), ("square", "triangle"), ("cross", "star")),
    groups=(("round", ("disc", "ring")), ("cornered", ("square", "triangle")), ("pointed", ("cross", "star"))),
)

COCO_LIKE = Vocabulary(
    classes=(
        DrawnClass(name="circle", shape=shapes.disc, hue=0.0, category=1),
        DrawnClass(name="ellipse", shape=shapes.ellipse, hue=0.06, category=2),
        DrawnClass(name="hoop", shape=shapes.ring, hue=0.33, category=3),
        DrawnClass(name="crescent", shape=shapes.crescent, hue=0.39, category=4),
        DrawnClass(name="box", shape=shapes.square, hue=0.62, category=6),
        DrawnClass(name="bar", shape=shapes.bar, hue=0.68, category=7),
        DrawnClass(name="diamond", shape=shapes.diamond, hue=0.56, category=9),
        DrawnClass(name="hexagon", shape=shapes.hexagon, hue=0.74, category=10),
        DrawnClass(name="triangle", shape=shapes.triangle, hue=0.15, category=11),
        DrawnClass(name="arrow", shape=shapes.arrow, hue=0.21, category=13),
        DrawnClass(name="star", shape=shapes.star, hue=0.83, category=16),
        DrawnClass(name="plus", shape=shapes.cross, hue=0.5, category=18),
    ),
    similar=(
        ("circle", "ellipse", "hoop", "crescent"),
        ("box", "bar", "diamond", "hexagon"),
        ("triangle", "arrow"),
        ("star", "plus"),
    ),
    groups=(
        ("round", ("circle", "ellipse", "hoop", "crescent")),
        ("cornered", ("box", "bar", "diamond", "hexagon")),
        ("pointed", ("triangle", "arrow", "star", "plus")),
    ),
    crowds=0.08,
    empty=0.03,
)

VOCABULARIES: dict[Likeness, Vocabulary] = {"voc": VOC_LIKE, "coco": COCO_LIKE}

CLASSES = VOC_LIKE.names
COCO_CLASSES = COCO_LIKE.names

DRAWN_COCO_TO_VOC = {
    "circle": "disc", "hoop": "ring", "box": "square", "triangle": "triangle", "star": "star", "plus": "cross",
}  # fmt: skip
"""Name in the second vocabulary to name in the first; the other six have none."""
