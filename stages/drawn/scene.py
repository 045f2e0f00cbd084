"""One image of the embedded data set: a background, distractors, and objects that occlude one another.

Sizes are log-uniform, from 8 % of the shorter side to nearly the whole image, so that every feature map of a
detector has objects to find. A box is the extent of the whole object inside the image, occluded parts included,
in VOC's convention: 1-based, inclusive corners.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stages.drawn.paint import grain, ground, lay, object_paint, scrap_paint
from stages.drawn.patch import Patch, overlap, raster
from stages.drawn.shapes import Array, Outline, crowd, posed, scrap, stroke
from stages.drawn.vocabulary import VOC_LIKE, DrawnClass, Vocabulary

SMALLEST, LARGEST = 0.08, 0.95
"""Square root of a box's area over the shorter side of the image."""

LEAST_VISIBLE, DIFFICULT_BELOW = 0.65, 0.7
"""Visible shares of an object's pixels: no other object hides it below the first; below the second it is difficult."""


@dataclass(frozen=True, kw_only=True)
class DrawnObject:
    name: str
    box_xyxy: tuple[int, int, int, int]
    truncated: bool
    """Cut by the border of the image."""

    difficult: bool
    """Less visible than `DIFFICULT_BELOW`, or a crowd."""

    area: int
    """Number of its visible pixels."""

    crowd: bool
    """Many small objects under one box."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    image: Array
    """uint8 (H, W, 3), RGB."""

    objects: tuple[DrawnObject, ...]


@dataclass(frozen=True)
class _Placed:
    """An object at its place; `pixels` holds the (y, x) of those inside the image that are at least half covered."""

    kind: DrawnClass
    patch: Patch
    pixels: tuple[Array, Array]
    crowd: bool = False


def draw_scene(height: int, width: int, rng: np.random.Generator, vocabulary: Vocabulary = VOC_LIKE) -> Scene:
    """Draw one image."""
    image = ground(height, width, rng)
    for _ in range(rng.integers(1, 6)):
        _lay_scrap(image, scrap(rng) if rng.random() < 0.6 else stroke(rng), rng.uniform(0.06, 0.3), rng)
    owner, placed = np.full((height, width), -1, np.int32), list[_Placed]()
    for scale, crowded in _wanted(vocabulary, rng):
        if candidate := _placed_freely(scale, crowded, vocabulary, owner, placed, rng):
            owner[candidate.pixels] = len(placed)
            placed.append(candidate)
            paint = object_paint(candidate.kind.hue, *candidate.patch.size, rng)
            lay(image, candidate.patch, paint, shadow=0.4, rim=0.35)
    for _ in range(rng.integers(0, 2)):
        owner[_lay_scrap(image, stroke(rng), rng.uniform(0.15, 0.5), rng)] = -1
    image += grain(height, width, rng)
    objects = tuple(_described(item, number, owner) for number, item in enumerate(placed))
    return Scene(image=image.clip(0, 255).astype(np.uint8), objects=objects)


def _wanted(vocabulary: Vocabulary, rng: np.random.Generator) -> list[tuple[float, bool]]:
    """Scale of each object of one image, and whether it is a crowd, which comes first and so lies behind the others."""
    # A share of zero draws no random number, so that images of a vocabulary without it stay the same
    if vocabulary.empty and rng.random() < vocabulary.empty:
        return []
    crowded = bool(vocabulary.crowds) and rng.random() < vocabulary.crowds
    crowds = [(float(rng.uniform(0.4, 0.8)), True)] if crowded else []
    return crowds + [(scale, False) for scale in _scales(rng)]


def _scales(rng: np.random.Generator) -> list[float]:
    """Scales of the objects of one image, the largest first, so that small objects lie in front."""
    number = int(rng.integers(1, 7))
    return sorted(np.exp(rng.uniform(np.log(SMALLEST), np.log(LARGEST), number)).tolist(), reverse=True)


def _placed_freely(
    scale: float,
    crowded: bool,
    vocabulary: Vocabulary,
    owner: Array,
    placed: list[_Placed],
    rng: np.random.Generator,
) -> _Placed | None:
    """Place an object of a random class where it hides no other too much; None when twelve attempts fail."""
    height, width = owner.shape
    kind = vocabulary.classes[rng.choice(len(vocabulary.classes))]
    outline = posed(
        crowd(kind.shape, rng) if crowded else kind.shape(rng),
        angle=rng.uniform(-0.5, 0.5),
        aspect=float(np.exp(rng.normal(0, 0.3))),
        side=scale * min(height, width),
        limit=(0.98 * width, 0.98 * height),
    )
    for _ in range(12):
        patch = raster(outline, *_corner(outline, width, height, rng))
        candidate = _Placed(kind, patch, _pixels(patch, owner.shape), crowded)
        if len(candidate.pixels[0]) > 0.6 * candidate.patch.area and _hides_little(candidate, owner, placed):
            return candidate
    return None


def _corner(outline: Outline, width: int, height: int, rng: np.random.Generator) -> tuple[float, float]:
    """Top left corner of a random place; one object in six may cross the border by up to a third of its extent."""
    extent = np.concatenate(outline).max(0)
    beyond = extent * (0.33 if rng.random() < 1 / 6 else 0.0)
    x, y = rng.uniform(-beyond, np.array([width, height]) - extent + beyond)
    return float(x), float(y)


def _pixels(patch: Patch, shape: tuple[int, ...]) -> tuple[Array, Array]:
    there, here = overlap(shape, patch.cover.shape, patch.left, patch.top)
    y, x = np.nonzero(patch.cover[here] >= 128)
    return y + there[0].start, x + there[1].start


def _hides_little(candidate: _Placed, owner: Array, placed: list[_Placed]) -> bool:
    hidden = np.bincount(owner[candidate.pixels] + 1)[1:]
    return all(
        np.count_nonzero(owner == number) - hidden[number] >= LEAST_VISIBLE * len(placed[number].pixels[0])
        for number in np.flatnonzero(hidden)
    )


def _lay_scrap(image: Array, outline: Outline, scale: float, rng: np.random.Generator) -> tuple[Array, Array]:
    """Paint a distractor at a random place; return the pixels that it hides."""
    height, width = image.shape[:2]
    turned = posed(
        outline,
        angle=rng.uniform(0, 2 * np.pi),
        aspect=float(np.exp(rng.normal(0, 0.4))),
        side=scale * min(height, width),
        limit=(width, height),
    )
    extent = np.concatenate(turned).max(0)
    x, y = rng.uniform(-extent / 2, np.array([width, height]) - extent / 2)
    patch = raster(turned, float(x), float(y))
    lay(image, patch, scrap_paint(*patch.size, rng), shadow=0.25)
    return _pixels(patch, (height, width))


def _described(item: _Placed, number: int, owner: Array) -> DrawnObject:
    y, x = item.pixels
    visible = int(np.count_nonzero(owner[item.pixels] == number))
    return DrawnObject(
        name=item.kind.name,
        box_xyxy=(int(x.min()) + 1, int(y.min()) + 1, int(x.max()) + 1, int(y.max()) + 1),
        truncated=len(y) < item.patch.area,
        difficult=item.crowd or visible / len(y) < DIFFICULT_BELOW,
        area=visible,
        crowd=item.crowd,
    )
