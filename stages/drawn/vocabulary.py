"""Names, shapes and similarities of the drawn classes: two vocabularies of one world.

The second vocabulary contains the classes of the first, partly under other names, and more, as COCO does with VOC's.
Only its shape shows the class of an object: colour, texture, size and aspect ratio have the same distribution for all.
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
        DrawnClass(name="cross", shape=shapes.cross, category=1),
        DrawnClass(name="disc", shape=shapes.disc, category=2),
        DrawnClass(name="ring", shape=shapes.ring, category=3),
        DrawnClass(name="square", shape=shapes.square, category=5),
        DrawnClass(name="star", shape=shapes.star, category=6),
        DrawnClass(name="triangle", shape=shapes.triangle, category=8),
    ),
    similar=(("disc", "ring"), ("square", "triangle"), ("cross", "star")),
    groups=(("round", ("disc", "ring")), ("cornered", ("square", "triangle")), ("pointed", ("cross", "star"))),
)

COCO_LIKE = Vocabulary(
    classes=(
        DrawnClass(name="circle", shape=shapes.disc, category=1),
        DrawnClass(name="lens", shape=shapes.lens, category=2),
        DrawnClass(name="hoop", shape=shapes.ring, category=3),
        DrawnClass(name="crescent", shape=shapes.crescent, category=4),
        DrawnClass(name="box", shape=shapes.square, category=6),
        DrawnClass(name="frame", shape=shapes.frame, category=7),
        DrawnClass(name="diamond", shape=shapes.diamond, category=9),
        DrawnClass(name="hexagon", shape=shapes.hexagon, category=10),
        DrawnClass(name="triangle", shape=shapes.triangle, category=11),
        DrawnClass(name="arrow", shape=shapes.arrow, category=13),
        DrawnClass(name="star", shape=shapes.star, category=16),
        DrawnClass(name="plus", shape=shapes.cross, category=18),
    ),
    similar=(
        ("circle", "lens", "hoop", "crescent"),
        ("box", "frame", "diamond", "hexagon"),
        ("triangle", "arrow"),
        ("star", "plus"),
    ),
    groups=(
        ("round", ("circle", "lens", "hoop", "crescent")),
        ("cornered", ("box", "frame", "diamond", "hexagon")),
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
