"""Charts of a data set: objects per class, and sizes and aspect ratios of its boxes.

Tested in tests/experiments/cli/data/test_app.py.
"""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np

from ssd_core.spec.detector import DetectorSpec
from stages.figures.style import GOOD, INK, class_colour, new_figure, plain_axes, plain_bars, to_png
from stages.shards.album import AlbumContents
from stages.shards.reach import sides


def class_chart(album: AlbumContents) -> bytes:
    """PNG chart of the objects per class, most frequent first, with the number of images that contain them."""
    objects, images = album.objects_per_class(), album.images_per_class()
    order = sorted(range(len(objects)), key=lambda label: objects[label])
    figure = new_figure(7.5, 0.9 + 0.21 * len(order))
    axes = figure.subplots()
    plain_axes(axes, "objects per class", values="x")
    plain_bars(axes)
    bars = axes.barh(
        [album.classes[label] for label in order],
        [objects[label] for label in order],
        color=[class_colour(label) for label in order],
        height=0.75,
    )
    axes.bar_label(bars, [f"{objects[label]:,} in {images[label]:,} images" for label in order], padding=3, fontsize=7)
    axes.set_xlim(0, 1.28 * (max(objects, default=0) or 1))
    axes.set_ylim(-0.6, len(order) - 0.4)
    return to_png(figure)


def shape_chart(album: AlbumContents, spec: DetectorSpec) -> bytes:
    """PNG chart of box sizes and aspect ratios in the network's input, with those of the default boxes as lines."""
    figure = new_figure(10, 3.4)
    size_axes, aspect_axes = figure.subplots(1, 2)
    _sizes(size_axes, album, spec)
    _aspects(aspect_axes, album, spec)
    return to_png(figure)


def _sizes(axes: Any, album: AlbumContents, spec: DetectorSpec) -> None:
    plain_axes(axes, f"box side, √(width × height), at input size {spec.input_size}", values="y")
    values = sides(album.boxes_xyxy, spec)
    bins = np.geomspace(max(min(values, default=1.0), 1.0), spec.input_size, 41)
    axes.hist(values, bins=bins, color=GOOD)
    squares = {side for source in spec.sources for scale in source.scales for side in _squares(scale)}
    _lines(axes, squares)
    _logarithmic(axes, [side for side in (2, 4, 8, 16, 32, 64, 128, 256, 512) if bins[0] <= side <= bins[-1]])
    axes.set_xlabel("pixels; dotted: square default boxes", fontsize=8)
    axes.set_ylabel("objects", fontsize=8)


def _squares(scale: Any) -> tuple[float, ...]:
    return (scale.size, sqrt(scale.size * scale.next_size)) if scale.large_square else (scale.size,)


def _aspects(axes: Any, album: AlbumContents, spec: DetectorSpec) -> None:
    plain_axes(axes, "box aspect ratio, width / height, in the square input", values="y")
    width, height = (album.boxes_xyxy[:, 2:] - album.boxes_xyxy[:, :2]).T
    axes.hist(np.clip(width / height, 1 / 8, 8), bins=np.geomspace(1 / 8, 8, 41), color=GOOD)
    ratios = {ratio for source in spec.sources for scale in source.scales for ratio in scale.ratios}
    _lines(axes, {1.0, *ratios, *(1 / ratio for ratio in ratios)})
    _logarithmic(axes, [1 / 8, 1 / 4, 1 / 3, 1 / 2, 1, 2, 3, 4, 8])
    names = ["≤ 1/8", "1/4", "1/3", "1/2", "1", "2", "3", "4", "≥ 8"]
    axes.set_xticklabels(names)
    axes.set_xlabel("dotted: aspect ratios of the default boxes", fontsize=8)
    axes.set_ylabel("objects", fontsize=8)


def _lines(axes: Any, places: set[float]) -> None:
    for place in places:
        axes.axvline(place, color=INK, linewidth=0.7, linestyle=":")


def _logarithmic(axes: Any, ticks: list[float]) -> None:
    axes.set_xscale("log")
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_xticks([], minor=True)
