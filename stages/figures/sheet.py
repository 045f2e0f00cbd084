"""Contact sheet: images with their boxes and class names.

Each class has one colour; difficult objects have a dashed border, crowds are hatched.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ssd_core.data.images import decode_rgb
from ssd_core.data.shards import Row
from stages.figures.style import class_colour, ink_on, new_figure, to_png

COLUMNS = 4
CELL_INCHES = 3.2
LONGEST_SIDE = 480
"""Longest side of an image on the sheet, in pixels."""


def contact_sheet(rows: Sequence[Row], classes: tuple[str, ...]) -> bytes:
    """PNG of a grid of images; there must be at least one."""
    columns = min(COLUMNS, len(rows))
    lines = -(-len(rows) // columns)
    figure = new_figure(columns * CELL_INCHES, lines * CELL_INCHES * 0.86)
    grid = figure.subplots(lines, columns, squeeze=False).flat
    for axes, row in zip(grid, rows, strict=False):
        _draw(axes, row, classes)
    for axes in list(grid):
        axes.axis("off")
    return to_png(figure, dpi=130)


def _draw(axes: Any, row: Row, classes: tuple[str, ...]) -> None:
    import cv2

    shrink = min(1.0, LONGEST_SIDE / max(row.width, row.height))
    size = max(1, round(row.width * shrink)), max(1, round(row.height * shrink))
    axes.imshow(
        cv2.resize(decode_rgb(row.image), size, interpolation=cv2.INTER_AREA), extent=(0, row.width, row.height, 0)
    )
    axes.set_title(row.image_id, fontsize=7, pad=2)
    axes.axis("off")
    largest_first = sorted(range(len(row.labels)), key=lambda number: -row.area[number])
    for number in largest_first:
        _box(axes, row, number, classes)


def _box(axes: Any, row: Row, number: int, classes: tuple[str, ...]) -> None:
    from matplotlib.patches import Rectangle

    xmin, ymin, xmax, ymax = (float(value) for value in row.boxes_xyxy[number])
    colour = class_colour(int(row.labels[number]))
    axes.add_patch(
        Rectangle(
            (xmin, ymin),
            xmax - xmin,
            ymax - ymin,
            fill=False,
            edgecolor=colour,
            linewidth=1.3,
            linestyle="--" if row.difficult[number] else "-",
            hatch="///" if row.crowd[number] else None,
        )
    )
    axes.text(
        xmin,
        ymin,
        classes[int(row.labels[number])],
        fontsize=5,
        color=ink_on(colour),
        verticalalignment="bottom" if ymin > 0.05 * row.height else "top",  # above the object if there is room
        clip_on=True,
        bbox={"facecolor": colour, "edgecolor": "none", "pad": 0.6, "alpha": 0.85},
    )
