"""Outlines of the drawn shapes: the classes of objects, and distractors.

An outline is a list of closed contours, float arrays (N, 2) of x (right) and y (down) in its own frame; points
inside an odd number of contours belong to the shape, so that a ring is two circles.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

Array = ndarray[Any, Any]
Outline = list[Array]
Shape = Callable[[np.random.Generator], Outline]


def disc(rng: np.random.Generator) -> Outline:  # noqa: ARG001 (all shapes have one signature)
    return [_circle(1.0)]


def square(rng: np.random.Generator) -> Outline:
    lean = rng.uniform(-0.12, 0.12)
    return [np.array([[-1 + lean, -1], [1 + lean, -1], [1 - lean, 1], [-1 - lean, 1]])]


def triangle(rng: np.random.Generator) -> Outline:
    return [np.array([[rng.uniform(-0.3, 0.3), -1], [1, 0.8], [-1, 0.8]])]


def star(rng: np.random.Generator) -> Outline:
    """A star with five points."""
    radius = np.where(np.arange(10) % 2, rng.uniform(0.36, 0.46), 1.0)
    return [_polar(np.arange(10) * np.pi / 5 - np.pi / 2, radius)]


def ring(rng: np.random.Generator) -> Outline:
    return [_circle(1.0), _circle(rng.uniform(0.5, 0.64))]


def cross(rng: np.random.Generator) -> Outline:
    arm = rng.uniform(0.26, 0.4)
    corner = np.array([[arm, -1], [arm, -arm], [1, -arm]])
    quarter = np.array([[0.0, 1.0], [-1.0, 0.0]])
    return [np.concatenate([corner @ np.linalg.matrix_power(quarter, turn) for turn in range(4)])]


def ellipse(rng: np.random.Generator) -> Outline:
    """At least twice as wide as high; a stretched disc rarely is."""
    return [_circle(1.0) * [1.0, rng.uniform(0.38, 0.5)]]


def crescent(rng: np.random.Generator) -> Outline:
    """Half a circle closed by a flatter arc."""
    angles = np.linspace(-np.pi / 2, np.pi / 2, 36)
    depth = rng.uniform(0.25, 0.55)
    return [np.concatenate([_polar(angles, np.ones(36)), (_polar(angles, np.ones(36)) * [depth, 1.0])[::-1]])]


def bar(rng: np.random.Generator) -> Outline:
    half = rng.uniform(0.22, 0.36)
    return [np.array([[-1, -half], [1, -half], [1, half], [-1, half]])]


def diamond(rng: np.random.Generator) -> Outline:
    half = rng.uniform(0.6, 0.8)
    return [np.array([[0.0, -1.0], [half, 0.0], [0.0, 1.0], [-half, 0.0]])]


def hexagon(rng: np.random.Generator) -> Outline:  # noqa: ARG001
    return [_polar(np.arange(6) * np.pi / 3, np.ones(6))]


def arrow(rng: np.random.Generator) -> Outline:
    """An arrow that points to the right."""
    shaft, neck = rng.uniform(0.18, 0.3), rng.uniform(-0.1, 0.2)
    upper = np.array([[-1, -shaft], [neck, -shaft], [neck, -0.75], [1, 0]])
    return [np.concatenate([upper, upper[-2::-1] * [1, -1]])]


def scrap(rng: np.random.Generator) -> Outline:
    """A distractor like a torn piece of paper: a closed curve of varying random radius."""
    angles = np.arange(40) * np.pi / 20
    waves = np.arange(2, 6)
    heights, phases = rng.uniform(0.05, 0.3, 4), rng.uniform(0, 2 * np.pi, 4)
    return [_polar(angles, 0.75 + np.sin(angles[:, None] * waves + phases) @ heights)]


def stroke(rng: np.random.Generator) -> Outline:
    """A distractor like a bent line with straight ends."""
    along = np.linspace(-1, 1, 16)
    bend, width = rng.uniform(-0.5, 0.5), rng.uniform(0.03, 0.09)
    middle = bend * along**2
    return [
        np.concatenate([np.stack([along, middle - width], 1), np.stack([along, middle + width], 1)[::-1]]),
    ]


def crowd(shape: Shape, rng: np.random.Generator) -> Outline:
    """Nine to twenty-five small copies of a shape, side by side in uneven rows."""
    contours = []
    for place in np.ndindex(*rng.integers(3, 6, 2)):
        one = posed(shape(rng), angle=rng.uniform(-0.5, 0.5), aspect=1, side=rng.uniform(0.5, 0.75), limit=(0.8, 0.8))
        corner = place + rng.uniform(0, 0.2, 2)
        contours += [contour + corner for contour in one]
    return contours


def posed(outline: Outline, *, angle: float, aspect: float, side: float, limit: tuple[float, float]) -> Outline:
    """Stretch an outline to `aspect` (width over height), rotate it by `angle` (radians) and scale it.

    Its bounding box then has its top left corner at the origin and an area of side**2 (pixels), or less where it would
    exceed the width and height of `limit`.
    """
    stretch = np.array([np.sqrt(aspect), 1 / np.sqrt(aspect)])
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    turned = [contour * stretch @ turn for contour in outline]
    points = np.concatenate(turned)
    low, extent = points.min(0), np.ptp(points, 0)
    scale = min(side / np.sqrt(extent.prod()), *(np.array(limit) / extent))
    return [(contour - low) * scale for contour in turned]


def _circle(radius: float) -> Array:
    return _polar(np.arange(72) * np.pi / 36, np.full(72, radius))


def _polar(angles: Array, radius: Array) -> Array:
    return np.stack([np.cos(angles), np.sin(angles)], 1) * radius[:, None]
