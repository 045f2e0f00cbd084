"""Detections drawn on their images (paper, Figure 5): one colour per class, labels such as "dog: 0.97".

Also crops of single detections with the objects around them, as evidence of what a detector gets right and wrong.

Tested in tests/stages/analysis/test_draw_detections.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from ssd_core.data.images import decode_rgb
from ssd_core.data.shards import Row
from stages.figures.style import INK, class_colour, ink_on, new_figure

COLUMNS = 4
CELL_INCHES = 3.4
LONGEST_SIDE = 560
"""Longest side of an image on the sheet, in pixels."""

NEAR_BORDER = 0.75
"""Fraction of the image's width from which on a label has no room to the right."""

LEGEND = "solid: detection; dashed: annotated objects; bold dashed: missed object; dog as cat: a dog detected as a cat"

MARGIN = 0.6
"""Margin around the box in a crop, as a fraction of the box's longer side."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """N detections of one image; boxes are in pixels of the original image."""

    row: Row
    labels: Int[ndarray, " N"]
    scores: Float[ndarray, " N"]
    boxes_xyxy: Float[ndarray, "N 4"]


@dataclass(frozen=True, kw_only=True)
class Crop:
    """One detection or missed object, with its surroundings."""

    row: Row
    box_xyxy: Float[ndarray, " 4"]
    label: int
    score: float | None
    """None for a missed object."""

    true_label: int | None = None
    """Class of the object that was detected as another."""


def detections_figure(images: Sequence[Shown], classes: Sequence[str]) -> Any:
    """Draw a grid of whole images; there must be at least one."""
    columns = min(COLUMNS, len(images))
    lines = -(-len(images) // columns)
    figure = new_figure(columns * CELL_INCHES, lines * CELL_INCHES * 0.82)
    grid = list(figure.subplots(lines, columns, squeeze=False).flat)
    for axes in grid:
        axes.axis("off")
    for axes, shown in zip(grid, images, strict=False):
        _image(axes, shown.row, (0, 0, shown.row.width, shown.row.height))
        axes.set_title(shown.row.image_id, fontsize=7, pad=2, color=INK)
        for number in np.argsort(shown.scores, kind="stable"):  # the highest score on top
            label = int(shown.labels[number])
            _box(axes, shown.boxes_xyxy[number], class_colour(label), width=1.5)
            _name(axes, shown.boxes_xyxy[number], f"{classes[label]}: {shown.scores[number]:.2f}", class_colour(label))
    return figure


def crops_figure(kinds: Mapping[str, Sequence[Crop]], classes: Sequence[str]) -> Any:
    """Draw one row of crops per kind, which must have some: the detection solid, all objects of the image dashed."""
    columns = max(map(len, kinds.values()))
    figure = new_figure(columns * 1.75 + 1.1, len(kinds) * 1.9)
    grid = figure.subplots(len(kinds), columns, squeeze=False)
    for axes in grid.flat:
        axes.set_xticks([])
        axes.set_yticks([])
        axes.spines[:].set_visible(False)
    figure.suptitle(LEGEND, fontsize=8, color=INK)
    for line, (kind, crops) in zip(grid, kinds.items(), strict=True):
        line[0].set_ylabel(kind, fontsize=9, color=INK, rotation=0, ha="right", va="center", labelpad=8)
        for axes, crop in zip(line, crops, strict=False):
            _crop(axes, crop, classes)
    return figure


def _crop(axes: Any, crop: Crop, classes: Sequence[str]) -> None:
    row = crop.row
    _image(axes, row, window(crop.box_xyxy, row.width, row.height))
    for box_xyxy, label in zip(row.boxes_xyxy, row.labels, strict=True):
        _box(axes, box_xyxy, class_colour(int(label)), width=1.1, line="--")
    missed = crop.score is None
    _box(axes, crop.box_xyxy, class_colour(crop.label), width=2.4, line="--" if missed else "-")
    axes.set_title(_title(crop, classes), fontsize=7.5, pad=2, color=INK)
    axes.set_xlabel(row.image_id[-24:], fontsize=6, color=INK, labelpad=2)


def _title(crop: Crop, classes: Sequence[str]) -> str:
    name = classes[crop.label]
    if crop.true_label is not None:
        name = f"{classes[crop.true_label]} as {name}"
    return name if crop.score is None else f"{name}: {crop.score:.2f}"


def window(box_xyxy: Float[ndarray, " 4"], width: int, height: int) -> tuple[int, int, int, int]:
    """The square shown around a box (left, top, right, bottom), shifted and clipped to lie inside the image."""
    left, top, right, bottom = (float(value) for value in box_xyxy)
    half = max(right - left, bottom - top) * (0.5 + MARGIN)
    sides = []
    for middle, length in (((left + right) / 2, width), ((top + bottom) / 2, height)):
        start = min(max(middle - half, 0), max(length - 2 * half, 0))
        sides.append((int(start), int(np.ceil(min(start + 2 * half, length)))))
    return sides[0][0], sides[1][0], sides[0][1], sides[1][1]


def _image(axes: Any, row: Row, part: tuple[int, int, int, int]) -> None:
    """Draw a part of the image, in pixel coordinates of the whole image."""
    import cv2

    left, top, right, bottom = part
    pixels = decode_rgb(row.image)[top:bottom, left:right]
    shrink = min(1.0, LONGEST_SIDE / max(pixels.shape[:2]))
    size = max(1, round(pixels.shape[1] * shrink)), max(1, round(pixels.shape[0] * shrink))
    axes.imshow(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), extent=(left, right, bottom, top))
    axes.set_xlim(left, right)  # boxes may exceed the image, the axes must not
    axes.set_ylim(bottom, top)


def _box(axes: Any, box_xyxy: Float[ndarray, " 4"], colour: Any, *, width: float, line: str = "-") -> None:
    from matplotlib.patches import Rectangle

    xmin, ymin, xmax, ymax = (float(value) for value in box_xyxy)
    axes.add_patch(
        Rectangle((xmin, ymin), xmax - xmin, ymax - ymin, fill=False, edgecolor=colour, linewidth=width, linestyle=line)
    )


def _name(axes: Any, box_xyxy: Float[ndarray, " 4"], text: str, colour: Any) -> None:
    """Write the name in the upper left corner of the box, or in the right one where it would leave the image."""
    right, top = axes.get_xlim()[1], axes.get_ylim()[1]
    at_border = box_xyxy[0] > NEAR_BORDER * right
    axes.text(
        min(float(box_xyxy[2]), right) if at_border else max(float(box_xyxy[0]), 0),
        max(float(box_xyxy[1]), top),
        text,
        fontsize=5.5,
        color=ink_on(colour),
        ha="right" if at_border else "left",
        va="top",
        clip_on=True,
        bbox={"facecolor": colour, "edgecolor": "none", "pad": 0.6, "alpha": 0.85},
    )
