"""Names, looks and similarities of the drawn classes: two vocabularies of one world.

The second vocabulary contains the classes of the first, partly under other names, and more, as COCO does with VOC's.
Similar classes have neighbouring hues, so that they differ by shape and a detector can confuse them.
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
    """Mean hue as a fraction of the colour circle: 0 red, 0.33 green, 0.67 blue."""

    category: int
    """Category id in COCO layout; some numbers are unused, as in COCO."""


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """Classes, and the shares of images with a crowd and without objects."""

    classes: tuple[DrawnClass, ...]
    similar: tuple[tuple[str, ...], ...]
    """Sets of classes that are similar to one another."""

    groups: tuple[tuple[str, tuple[str, ...]], ...]
    """Groups by which results are summarised, like animals, vehicles and furniture in VOC."""

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
"""Names in the first vocabulary by name in the second; the other six classes have none."""
