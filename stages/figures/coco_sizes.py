"""COCO precision and recall by object size, with one group of bars per size and one bar per detector.

Tested in tests/stages/analysis/test_hoiem_figures.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stages.figures.style import class_colour, new_figure, plain_axes

SIZES = {"s": "small\n< 32² px", "m": "medium", "l": "large\n> 96² px"}
NUMBERS = {"AP": "average precision", "AR": "average recall, 100 detections"}


def coco_sizes_figure(detectors: Mapping[str, Mapping[str, float]]) -> Any:
    """`detectors` are the metrics of an evaluation by title: `coco/APs`, `coco/APm` ... `coco/ARl`, as fractions.

    A metric that is absent or negative (COCO's value for no objects of that size) has no bar.
    """
    figure = new_figure(8, 3.2)
    for axes, (number, title) in zip(figure.subplots(1, 2, sharey=True), NUMBERS.items(), strict=True):
        plain_axes(axes, f"{title}, %", values="y")
        _bars(axes, detectors, number)
    return figure


def _bars(axes: Any, detectors: Mapping[str, Mapping[str, float]], number: str) -> None:
    width = 0.8 / len(detectors)
    for place, (title, numbers) in enumerate(detectors.items()):
        values = [100 * numbers.get(f"coco/{number}{size}", -1.0) for size in SIZES]
        middle = (place - (len(detectors) - 1) / 2) * width
        heights = [max(value, 0.0) for value in values]
        bars = axes.bar([at + middle for at in range(3)], heights, width * 0.92, color=class_colour(place), label=title)
        axes.bar_label(bars, [f"{value:.1f}" if value >= 0 else "none" for value in values], fontsize=7, padding=2)
    axes.set_xticks(range(3), list(SIZES.values()), fontsize=8)
    axes.set_ylim(0, 100)
    axes.legend(frameon=False, fontsize=8)
