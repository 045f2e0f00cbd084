"""Drawing of the network (paper, Figure 2): each feature map as a slab, with the layers before it and its predictions.

Every number comes from the layer table, which is derived from the network. A slab's height and depth grow with the root
of the map's side, its thickness with the logarithm of the channels, so that a map of one cell is still visible.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from math import log2, sqrt
from typing import Any

from ssd_core.network.layer_table import ConvolutionRow, LayerTable, MapRow
from stages.figures.style import BAD, GOOD, INK, NEUTRAL, new_figure

MOST_LINES = 5
"""Largest number of different convolutions listed individually between two maps."""

GAP, TALLEST = 1.15, 2.7
"""Gap between slabs, and height of the input image, in the units of the drawing."""

INCHES = 0.82
"""Inches per unit."""

NEUTRAL_INK = "#5f6970"

LEAN = 0.28
"""Offset of a slab's rear face to the right and up, as a fraction of its height."""


def architecture_figure(table: LayerTable, title: str) -> Any:
    """Draw one detector."""
    figure = new_figure(1, 1)  # resized to its content below
    axes = figure.subplots()
    axes.set_title(title, loc="left", fontsize=12, color=INK)
    scale = TALLEST / sqrt(table.input_size)
    right = _slab(axes, 0.0, "image", 3, table.input_size, scale, predicts=False)
    head_row = TALLEST * (1 + LEAN) + 0.85
    middles = []
    for row in table.maps:
        left = right + GAP
        _arrow(axes, (right + 0.08, 0.45), (left - 0.06, 0.45))
        axes.text((right + left) / 2, -0.75, path_text(row.convolutions), **_small("top", NEUTRAL_INK))
        right = _slab(axes, left, row.layer, row.channels, row.side, scale, predicts=bool(row.boxes))
        middles.append((left + right) / 2)
        if row.boxes:
            top = scale * sqrt(row.side) * (1 + LEAN)
            _arrow(axes, (middles[-1], top + 0.05), (middles[-1], head_row - 0.34))
            axes.text(middles[-1], head_row, head_text(row, table.class_count), **_small("center", INK))
            _arrow(axes, (middles[-1], head_row + 0.34), (middles[-1], head_row + 0.7))
    _sum(axes, middles, table, head_row + 0.7)
    _fit(figure, axes, (-0.6, right + 0.6), (-2.45, head_row + 1.35))
    return figure


def path_text(convolutions: Sequence[ConvolutionRow]) -> str:
    """The convolutions leading to a map: equal neighbours on one line, or only their number if there are too many."""
    lines = []
    for (kernel, stride, dilation, channels), each in groupby(convolutions, key=_shape):
        names = [row.name for row in each]
        label = names[0] if len(names) == 1 else f"{names[0]}–{names[-1]}"
        extras = (f", stride {stride}" if stride > 1 else "") + (f", dilation {dilation}" if dilation > 1 else "")
        lines.append(f"{label}\n{kernel}×{kernel}×{channels}{extras}")
    if len(lines) > MOST_LINES:
        return f"{len(convolutions)} convolutions"
    return "\n".join(lines)


def head_text(row: MapRow, class_count: int) -> str:
    """The convolutions that predict from a map, and the number of boxes of all its cells."""
    boxes = "box" if row.boxes_per_cell == 1 else "boxes"
    kernel = f"{row.head_kernel}×{row.head_kernel}"
    return (
        f"{row.boxes_per_cell} {boxes} per cell\n{kernel}×({row.boxes_per_cell}×({class_count}+4))\n{row.boxes:,} boxes"
    )


def _shape(row: ConvolutionRow) -> tuple[int, int, int, int]:
    return row.kernel, row.stride, row.dilation, row.channels


def _slab(axes: Any, left: float, name: str, channels: int, side: int, scale: float, *, predicts: bool) -> float:
    """Draw a feature map starting at `left`, and return its right end."""
    from matplotlib.patches import Polygon

    high, thick = scale * sqrt(side), 0.11 * log2(channels) + 0.02
    lean = LEAN * high
    front = [(0, 0), (thick, 0), (thick, high), (0, high)]
    top = [(0, high), (thick, high), (thick + lean, high + lean), (lean, high + lean)]
    flank = [(thick, 0), (thick + lean, lean), (thick + lean, high + lean), (thick, high)]
    for corners, light in ((front, 1.0), (top, 0.65), (flank, 0.4)):
        colour = GOOD if predicts else NEUTRAL
        points = [(left + x, y) for x, y in corners]
        axes.add_patch(Polygon(points, facecolor=(colour, light), edgecolor=INK, linewidth=0.8, joinstyle="round"))
    axes.text(left + thick / 2, -0.12, f"{name}\n{side}×{side}×{channels}", **_small("top", INK, weight="bold"))
    return left + thick + lean


def _sum(axes: Any, middles: Sequence[float], table: LayerTable, bottom: float) -> None:
    """Draw the bar that collects all predictions."""
    from matplotlib.patches import Rectangle

    left, right = min(middles) - 0.7, max(middles) + 0.7
    axes.add_patch(Rectangle((left, bottom), right - left, 0.55, facecolor=(BAD, 0.85), edgecolor=INK, linewidth=0.8))
    text = f"{table.boxes:,} boxes for each of {table.class_count - 1} classes, then non-maximum suppression"
    axes.text((left + right) / 2, bottom + 0.27, text, color="white", fontsize=9, ha="center", va="center")


def _arrow(axes: Any, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": INK, "linewidth": 0.8, "shrinkA": 0})


def _fit(figure: Any, axes: Any, x: tuple[float, float], y: tuple[float, float]) -> None:
    """Crop the figure to these ranges at equal scale in both directions, leaving room for the title."""
    axes.set_xlim(*x)
    axes.set_ylim(*y)
    axes.axis("off")
    figure.set_size_inches(INCHES * (x[1] - x[0]), INCHES * (y[1] - y[0]) + 0.35)


def _small(vertical: str, colour: str, weight: str = "normal") -> dict[str, Any]:
    return {"fontsize": 7, "ha": "center", "va": vertical, "color": colour, "fontweight": weight}
