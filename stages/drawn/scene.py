"""One image of the embedded data set: a background, distractors, and objects with the statistics of VOC2007's.

Number, size, aspect ratio, truncation, occlusion and difficulty of the objects follow `statistics.py`. Difficult
objects are faint, with clutter over them. A box is the extent of the part of an object inside the image, occluded parts
included, in VOC's convention: 1-based, inclusive corners.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from stages.drawn.paint import grain, ground, lay, object_paint, scrap_paint
from stages.drawn.patch import raster
from stages.drawn.placing import Box, Placed, pixels_of, placed_freely, put, random_place
from stages.drawn.shapes import Array, Outline, posed, scrap, stroke
from stages.drawn.statistics import Wanted, wanted_object, wanted_objects
from stages.drawn.vocabulary import VOC_LIKE, DrawnClass, Vocabulary

PORTRAIT_SCALES = (0.5, 0.95)
"""Scales of the objects of a classifier's images."""


@dataclass(frozen=True, kw_only=True)
class DrawnObject:
    name: str
    box_xyxy: Box
    truncated: bool
    """Cut by the border of the image."""

    difficult: bool
    """Faint, with clutter over it, or a crowd."""

    area: int
    """Number of its visible pixels."""

    crowd: bool
    """Many small objects under one box."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    image: Array
    """uint8 (H, W, 3), RGB."""

    objects: tuple[DrawnObject, ...]


def draw_scene(height: int, width: int, rng: np.random.Generator, vocabulary: Vocabulary = VOC_LIKE) -> Scene:
    """Draw one image."""
    image = cluttered_ground(height, width, rng)
    owner, placed = np.full((height, width), -1, np.int32), list[Placed]()
    for wanted in _wanted(vocabulary, rng):
        kind = vocabulary.classes[rng.choice(len(vocabulary.classes))]
        if candidate := placed_freely(wanted, kind, owner, placed, rng):
            owner[candidate.pixels] = len(placed)
            placed.append(candidate)
            _lay_object(image, candidate, rng)
    for _ in range(rng.integers(0, 2)):
        owner[_lay_scrap(image, stroke(rng), rng.uniform(0.15, 0.5), rng)] = -1
    image += grain(height, width, rng)
    objects = tuple(_described(item, number, owner) for number, item in enumerate(placed))
    return Scene(image=image.clip(0, 255).astype(np.uint8), objects=objects)


def draw_portrait(side: int, kind: DrawnClass, rng: np.random.Generator) -> Array:
    """Draw a square image of one large object, as those of a classifier are: uint8 (side, side, 3), RGB."""
    image = cluttered_ground(side, side, rng)
    wanted = replace(wanted_object(float(rng.uniform(*PORTRAIT_SCALES)), rng), cut=False, difficult=False)
    _lay_object(image, put(random_place(wanted, image.shape[:2], rng), wanted, kind, image.shape[:2], rng), rng)
    image += grain(side, side, rng)
    drawn: Array = image.clip(0, 255).astype(np.uint8)
    return drawn


def cluttered_ground(height: int, width: int, rng: np.random.Generator) -> Array:
    """A textured background with distractors."""
    image = ground(height, width, rng)
    for _ in range(rng.integers(1, 7)):
        _lay_scrap(image, scrap(rng) if rng.random() < 0.6 else stroke(rng), rng.uniform(0.06, 0.3), rng)
    return image


def _wanted(vocabulary: Vocabulary, rng: np.random.Generator) -> list[Wanted]:
    """Objects of one image, the largest first, so that small ones lie in front; a crowd lies behind the others."""
    if vocabulary.empty and rng.random() < vocabulary.empty:
        return []
    crowds = []
    if vocabulary.crowds and rng.random() < vocabulary.crowds:
        scale, ratio = float(rng.uniform(0.4, 0.8)), float(np.exp(rng.normal(0, 0.3)))
        crowds = [Wanted(scale=scale, ratio=ratio, cut=False, difficult=True, crowd=True)]
    return crowds + wanted_objects(rng)


def _lay_object(image: Array, item: Placed, rng: np.random.Generator) -> None:
    """Paint an object; over a difficult one lies clutter."""
    faint = item.wanted.difficult and not item.wanted.crowd
    paint = object_paint(rng.random(), *item.patch.size, rng)
    lay(image, item.patch, paint, shadow=0.4, rim=0.35, opacity=rng.uniform(0.35, 0.7) if faint else 1.0)
    if faint:
        for _ in range(rng.integers(1, 3)):
            _lay_clutter(image, item.box, rng)


def _lay_clutter(image: Array, box: Box, rng: np.random.Generator) -> None:
    """Paint a distractor of up to a quarter of a box somewhere over it."""
    low, high = np.array(box[:2], np.float64), np.array(box[2:], np.float64)
    side = rng.uniform(0.25, 0.5) * np.sqrt((high - low + 1).prod())
    outline = posed(scrap(rng), angle=0, aspect=1, side=side, limit=(image.shape[1], image.shape[0]))
    corner = rng.uniform(low, high + 1) - np.concatenate(outline).max(0) / 2
    patch = raster(outline, float(corner[0]), float(corner[1]))
    lay(image, patch, scrap_paint(*patch.size, rng), shadow=0.25)


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
    return pixels_of(patch, (height, width))


def _described(item: Placed, number: int, owner: Array) -> DrawnObject:
    return DrawnObject(
        name=item.kind.name,
        box_xyxy=item.box,
        truncated=len(item.pixels[0]) < item.patch.area,
        difficult=item.wanted.difficult,
        area=int(np.count_nonzero(owner[item.pixels] == number)),
        crowd=item.wanted.crowd,
    )
