"""Places of objects: inside the image or cut by its border, and over one another as wanted.

Tested in tests/stages/drawn/test_scene.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stages.drawn.patch import Patch, overlap, raster
from stages.drawn.shapes import Array, crowd, fitted
from stages.drawn.statistics import Wanted
from stages.drawn.vocabulary import DrawnClass

LEAST_VISIBLE = 0.4
"""Share of an object's pixels that no other object hides."""

LEAST_SIDE = 3
"""Smallest width and height of an object in pixels."""

LEAN = 0.25
"""Largest rotation of an object before it is stretched, in radians."""

CUTS = (0.1, 0.5)
"""Range of the share of a truncated object's extent that lies outside the image."""

COVERED = 0.1
"""Share of an object's box from which on another box that covers it counts as an overlap."""

PLACES = 24
"""Number of places that are tried for an object."""

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Placed:
    """An object at its place; `pixels` holds the (y, x) of those inside the image that are at least half covered."""

    kind: DrawnClass
    patch: Patch
    pixels: tuple[Array, Array]
    wanted: Wanted

    @property
    def has_area(self) -> bool:
        """Whether at least two rows and two columns are inside the image."""
        y, x = self.pixels
        return bool(len(y) and np.ptp(y) and np.ptp(x))

    @property
    def box(self) -> Box:
        """First and last column and row, 1-based and inclusive."""
        y, x = self.pixels
        return int(x.min()) + 1, int(y.min()) + 1, int(x.max()) + 1, int(y.max()) + 1


def placed_freely(
    wanted: Wanted, kind: DrawnClass, owner: Array, placed: list[Placed], rng: np.random.Generator
) -> Placed | None:
    """Place an object where it hides no other too much; in the first half of the attempts, where it overlaps as wanted.

    Returns None when no place is found.
    """
    for attempt in range(PLACES):
        place = random_place(wanted, owner.shape, rng)
        if placed and attempt < PLACES // 2 and wanted.overlaps != any(place.is_covered(item.box) for item in placed):
            continue
        candidate = put(place, wanted, kind, owner.shape, rng)
        if candidate.has_area and _hides_little(candidate, owner, placed):
            return candidate
    return None


@dataclass(frozen=True)
class Place:
    """Where an object is to lie: (x, y) of its corner and its extent, and the part of it that is inside the image."""

    corner: Array
    extent: Array
    shown: Array
    """Shape (2, 2): first and last (x, y)."""

    def is_covered(self, box: Box) -> bool:
        """Whether a box covers at least a tenth of the part inside the image."""
        low, high = np.maximum(self.shown[0], (box[0] - 1, box[1] - 1)), np.minimum(self.shown[1], box[2:])
        return bool((high - low).clip(0).prod() >= COVERED * (self.shown[1] - self.shown[0]).prod())


def put(place: Place, wanted: Wanted, kind: DrawnClass, image: tuple[int, ...], rng: np.random.Generator) -> Placed:
    """An object of this class at its place in an image of this height and width."""
    outline = crowd(kind.shape, rng) if wanted.crowd else kind.shape(rng)
    width, height = place.extent.tolist()
    patch = raster(fitted(outline, angle=rng.uniform(-LEAN, LEAN), width=width, height=height), *place.corner.tolist())
    return Placed(kind, patch, pixels_of(patch, image), wanted)


def random_place(wanted: Wanted, shape: tuple[int, ...], rng: np.random.Generator) -> Place:
    """A random place at which the part inside the image has the wanted size."""
    image = np.array([shape[1], shape[0]], np.float64)
    stretch = np.array([np.sqrt(wanted.ratio), 1 / np.sqrt(wanted.ratio)])
    inside = np.clip(wanted.scale * np.sqrt(image.prod()) * stretch, LEAST_SIDE, 0.985 * image)
    cut, at_end = np.zeros(2), rng.random(2) < 0.5
    if wanted.cut:
        cut[rng.integers(2)] = rng.uniform(*CUTS)
    extent = inside / (1 - cut)
    corner = np.where(cut == 0, rng.uniform(0, image - inside), np.where(at_end, image - inside, inside - extent))
    return Place(corner, extent, np.array([corner.clip(0), corner.clip(0) + inside]))


def pixels_of(patch: Patch, shape: tuple[int, ...]) -> tuple[Array, Array]:
    there, here = overlap(shape, patch.cover.shape, patch.left, patch.top)
    y, x = np.nonzero(patch.cover[here] >= 128)
    return y + there[0].start, x + there[1].start


def _hides_little(candidate: Placed, owner: Array, placed: list[Placed]) -> bool:
    hidden = np.bincount(owner[candidate.pixels] + 1)[1:]
    return all(
        np.count_nonzero(owner[placed[number].pixels] == number) - hidden[number]
        >= LEAST_VISIBLE * len(placed[number].pixels[0])
        for number in np.flatnonzero(hidden)
    )
