"""Read a data set in order to display it: all its objects as arrays, and some of its images with their pixels.

A place is a folder of annotated images or a folder of shards. Each image is checked as sharding checks it; images that
sharding would leave out are counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float64, Int64
from numpy import ndarray

from pipeline.errors import PipelineError
from ssd_core.data.shards import MANIFEST, Row, ShardSet
from stages.datasets.find import TESTING, TRAINING, find_data_set
from stages.datasets.source import Source, discover_classes
from stages.shards.image_row import read_image


@dataclass(frozen=True, kw_only=True)
class Album:
    """Images by number; `read` returns None for an image that sharding would leave out."""

    title: str
    classes: tuple[str, ...]
    length: int
    read: Callable[[int], Row | None]


@dataclass(frozen=True, kw_only=True)
class AlbumContents:
    """The G objects in the images of an album, crowds included."""

    title: str
    classes: tuple[str, ...]
    images: int
    """Number of images that can be read."""

    left_out: int
    picked: tuple[Row, ...]
    """Images of the contact sheet."""

    image: Int64[ndarray, " G"]
    """Index of each object's image among the images read."""

    boxes_xyxy: Float64[ndarray, "G 4"]
    """In fractions of the width and height of the image."""

    labels: Int64[ndarray, " G"]
    difficult: Bool[ndarray, " G"]
    crowd: Bool[ndarray, " G"]

    def objects_per_class(self) -> list[int]:
        return [int(number) for number in np.bincount(self.labels, minlength=len(self.classes))]

    def images_per_class(self) -> list[int]:
        """Number of images with at least one object of each class."""
        pairs = np.unique(np.stack([self.labels, self.image]), axis=1)
        return [int(number) for number in np.bincount(pairs[0], minlength=len(self.classes))]


def open_album(
    place: str, split: str, layout: str = "", *, preferred: tuple[str, ...] = (*TRAINING, *TESTING)
) -> Album:
    """The images of a folder of shards, or of one split of annotated images.

    Without a name it is the first of the `preferred` splits that exists, or else the only split.
    """
    if (Path(place) / MANIFEST).exists():
        if split:
            raise PipelineError(f"{place} holds shards, which have no splits: omit --split")
        return _of_shards(place)
    data_set = find_data_set(place, layout)
    return _of_source(data_set.source(split or data_set.default_split(preferred)))


def read_album(
    album: Album, *, pick: int, rng: np.random.Generator, progress: Callable[[int, int], None]
) -> AlbumContents:
    """Read all images; `pick` of them, drawn by `rng`, are kept with their pixels."""
    chosen = set(rng.permutation(album.length)[:pick].tolist())
    rows: list[Row] = []
    picked = []
    for number in range(album.length):
        progress(number, album.length)
        if (row := album.read(number)) is None:
            continue
        if number in chosen:
            picked.append(row)
        rows.append(_without_image(row))
    return _contents(album, rows, tuple(picked))


def _contents(album: Album, rows: list[Row], picked: tuple[Row, ...]) -> AlbumContents:
    if not rows:
        raise PipelineError(f"none of the {album.length} images of {album.title} can be read: see ssdpipe data check")
    scales = [np.array([row.width, row.height] * 2, np.float64) for row in rows]
    return AlbumContents(
        title=album.title,
        classes=album.classes,
        images=len(rows),
        left_out=album.length - len(rows),
        picked=picked,
        image=np.repeat(np.arange(len(rows)), [len(row.labels) for row in rows]),
        boxes_xyxy=np.concatenate([row.boxes_xyxy / scale for row, scale in zip(rows, scales, strict=True)]),
        labels=_joined((row.labels for row in rows), np.int64),
        difficult=_joined((row.difficult for row in rows), np.bool_),
        crowd=_joined((row.crowd for row in rows), np.bool_),
    )


def _joined(parts: Iterable[ndarray], kind: type) -> ndarray:
    return np.concatenate(list(parts)).astype(kind)


def _without_image(row: Row) -> Row:
    return replace(row, image=b"")


def _of_shards(place: str) -> Album:
    shards = ShardSet(place)
    return Album(title=Path(place).resolve().name, classes=shards.classes, length=len(shards), read=shards.row)


def _of_source(source: Source) -> Album:
    classes = discover_classes([source])
    images = source.listing(source.located()).images
    return Album(
        title=f"{source.name} {source.split}",
        classes=classes,
        length=len(images),
        read=lambda number: read_image(images[number], classes).row,
    )
