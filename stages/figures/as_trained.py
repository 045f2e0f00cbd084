"""Images of a training batch, their objects, and the default boxes that are matched to each.

Tested in tests/stages/shards/test_training_batch.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from stages.figures.style import INK, class_colour, ink_on, new_figure
from stages.shards.training_batch import MatchedBatch

COLUMNS = 4
CELL_INCHES = 3.2
LEGEND = "bold: object, with the number of its matched default boxes; thin: these boxes"


def as_trained_figure(matched: MatchedBatch, classes: Sequence[str]) -> Any:
    """Draw a grid of the images."""
    count = len(matched.batch.image_ids)
    columns = min(COLUMNS, count)
    lines = -(-count // columns)
    figure = new_figure(columns * CELL_INCHES, lines * (CELL_INCHES + 0.1) + 0.3)
    figure.suptitle(LEGEND, fontsize=8, color=INK)
    grid = list(figure.subplots(lines, columns, squeeze=False).flat)
    for axes in grid:
        axes.axis("off")
    for number, axes in enumerate(grid[:count]):
        _draw(axes, matched, number, classes)
    return figure


def _draw(axes: Any, matched: MatchedBatch, number: int, classes: Sequence[str]) -> None:
    batch, owners = matched.batch, matched.matches.truth[number]
    axes.imshow(batch.images[number].permute(1, 2, 0).numpy(), extent=(0, 1, 1, 0), interpolation="nearest")
    axes.set_title(f"{batch.image_ids[number][-40:]}, {int((owners >= 0).sum())} matched", fontsize=7, pad=2, color=INK)
    axes.set_xlim(0, 1)  # default boxes may exceed the image, the axes must not
    axes.set_ylim(1, 0)
    for place in batch.objects.valid[number].nonzero().flatten().tolist():
        label = int(batch.objects.labels[number, place])
        colour = class_colour(label)
        own = matched.default_boxes_xyxy[owners == place]
        for box_xyxy in own:
            _box(axes, box_xyxy, edgecolor=colour, linewidth=0.6, alpha=0.7)
        object_xyxy = batch.objects.boxes_xyxy[number, place]
        _box(axes, object_xyxy, edgecolor=colour, linewidth=2.4, zorder=2)  # above all default boxes
        _name(axes, object_xyxy, f"{classes[label]}: {len(own)}", colour)


def _box(axes: Any, box_xyxy: Tensor, **look: Any) -> None:
    from matplotlib.patches import Rectangle

    left, top, right, bottom = box_xyxy.tolist()
    axes.add_patch(Rectangle((left, top), right - left, bottom - top, fill=False, **look))


def _name(axes: Any, box_xyxy: Tensor, text: str, colour: Any) -> None:
    left, top, right, _ = box_xyxy.tolist()
    at_border = left > 0.75
    axes.text(
        right if at_border else left,
        top,
        text,
        fontsize=5.5,
        color=ink_on(colour),
        ha="right" if at_border else "left",
        va="top",
        clip_on=True,
        bbox={"facecolor": colour, "edgecolor": "none", "pad": 0.6, "alpha": 0.85},
    )
