"""Default boxes of two feature maps over one image, and those matched to its objects (paper, Figure 1).

The image is drawn here: a small object that fits boxes of the fine map of 8x8 cells, and a large, tall one that fits
only boxes of the map of 4x4 cells. `ssd_core.boxes.matching` decides which boxes are matched. Boxes are fractions.

Tested in tests/stages/figures/test_architecture.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy import ndarray
from torch import Tensor

from ssd_core.boxes.default_boxes import default_boxes
from ssd_core.boxes.frames import to_xyxy
from ssd_core.boxes.matching import match
from ssd_core.boxes.objects import Objects
from ssd_core.spec.detector import DetectorSpec, Scale, Source, Vgg16
from stages.drawn.paint import grain, ground, lay, object_paint
from stages.drawn.patch import raster
from stages.drawn.shapes import disc, posed, star
from stages.figures.style import BAD, GOOD, INK, NEUTRAL, new_figure

SIDE = 320
"""Side of the image in pixels."""

SPEC = DetectorSpec(
    input_size=64,
    classes=("star", "disc"),
    backbone=Vgg16(channels=(8, 8, 8, 8, 8), fc_channels=8, dilation=1),
    extras=(),
    sources=(
        Source(layer="conv4_3", step=8, scales=(Scale(size=13, next_size=22, ratios=(2,)),)),
        Source(layer="conv7", step=16, scales=(Scale(size=28, next_size=42, ratios=(2,)),)),
    ),
)
"""The smallest detector with both maps; only its boxes are used."""

COLOURS = (GOOD, BAD)

PLACED = ((star, 0.62, 1.25, 0.225, (0.12, 0.58)), (disc, 0.03, 0.40, 0.395, (0.495, 0.075)))
"""Shape, hue, width / height before rotation, root of the area, and top left corner of each object."""


@dataclass(frozen=True)
class Example:
    """The image and its objects."""

    image: ndarray
    """uint8 (SIDE, SIDE, 3), RGB."""

    boxes_xyxy: Tensor
    """Shape (2, 4)."""


def default_boxes_figure() -> Any:
    """Three panels: the image with its objects, the fine map, the coarse map."""
    example = example_image()
    boxes_xyxy = to_xyxy(default_boxes(SPEC))
    owners = matched(example.boxes_xyxy)
    figure = new_figure(10.2, 3.9)
    image_axes, *map_axes = figure.subplots(1, 3)
    _panel(image_axes, "(a) image with ground-truth boxes")
    image_axes.imshow(example.image, extent=(0, 1, 1, 0))
    for owner, box_xyxy in enumerate(example.boxes_xyxy):
        _box(image_axes, box_xyxy, COLOURS[owner], width=2.4)
    first = 0
    for axes, letter, source in zip(map_axes, "bc", SPEC.sources, strict=True):
        cells = SPEC.cells()[source.layer]
        own = slice(first, first + cells**2 * source.boxes_per_cell)
        _panel(axes, f"({letter}) {cells} × {cells} feature map")
        _map(axes, cells, boxes_xyxy[own], owners[own], source.boxes_per_cell)
        first = own.stop
    return figure


def example_image() -> Example:
    """A small star and a tall disc; the image is always the same."""
    rng = np.random.default_rng(3)
    image = ground(SIDE, SIDE, rng)
    boxes = []
    for shape, hue, aspect, side, corner in PLACED:
        outline = posed(shape(rng), angle=0.1, aspect=aspect, side=side * SIDE, limit=(SIDE, SIDE))
        patch = raster(outline, corner[0] * SIDE, corner[1] * SIDE)
        lay(image, patch, object_paint(hue, *patch.size, rng), shadow=0.4, rim=0.35)
        width, height = np.concatenate(outline).max(0) / SIDE
        boxes.append([corner[0], corner[1], corner[0] + width, corner[1] + height])
    image += grain(SIDE, SIDE, rng)
    return Example(image.clip(0, 255).astype(np.uint8), torch.tensor(boxes, dtype=torch.float32))


def matched(boxes_xyxy: Tensor) -> list[int]:
    """The object matched to each default box; negative for none."""
    count = len(boxes_xyxy)
    objects = Objects(
        boxes_xyxy=boxes_xyxy[None], labels=torch.arange(count)[None], valid=torch.ones(1, count, dtype=torch.bool)
    )
    owners: list[int] = match(default_boxes(SPEC), objects, SPEC).truth[0].tolist()
    return owners


def _map(axes: Any, cells: int, boxes_xyxy: Tensor, owners: Sequence[int], per_cell: int) -> None:
    """Draw the grid, then all boxes of the cells that have a matched one, then the matched boxes."""
    for line in range(cells + 1):
        axes.plot([0, 1], [line / cells] * 2, color=NEUTRAL, linewidth=0.5)
        axes.plot([line / cells] * 2, [0, 1], color=NEUTRAL, linewidth=0.5)
    with_match = {number // per_cell for number, owner in enumerate(owners) if owner >= 0}
    for cell in sorted(with_match):
        for box_xyxy in boxes_xyxy[cell * per_cell : (cell + 1) * per_cell]:
            _box(axes, box_xyxy, INK, width=0.8, line="--")
    for box_xyxy, owner in zip(boxes_xyxy, owners, strict=True):
        if owner >= 0:
            _box(axes, box_xyxy, COLOURS[owner], width=2.0)
    counts = f"{len(owners)} boxes, {sum(owner >= 0 for owner in owners)} matched"
    axes.text(0.5, 1.03, f"{counts}; dashed: others in their cells", fontsize=8, ha="center", va="top", color=INK)


def _panel(axes: Any, title: str) -> None:
    axes.set_title(title, fontsize=10, color=INK)
    axes.set_xlim(-0.08, 1.08)
    axes.set_ylim(1.08, -0.08)  # y grows downwards
    axes.set_aspect("equal")
    axes.axis("off")


def _box(axes: Any, box_xyxy: Tensor, colour: str, *, width: float, line: str = "-") -> None:
    from matplotlib.patches import Rectangle

    left, top, right, bottom = box_xyxy.tolist()
    axes.add_patch(
        Rectangle(
            (left, top), right - left, bottom - top, fill=False, edgecolor=colour, linewidth=width, linestyle=line
        )
    )
