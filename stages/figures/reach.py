"""Chart of the objects that default boxes reach, by scale, by object size, and by class.

Tested in tests/experiments/cli/data/test_app.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stages.figures.style import BAD, GOOD, NEUTRAL, new_figure, plain_axes, plain_bars, to_png
from stages.shards.reach import GroupReach, Reach

MOST_CLASSES = 40
"""Largest number of classes on the chart, those with the largest unreached share; the page lists all."""


def reach_chart(reach: Reach) -> bytes:
    """PNG chart with three panels."""
    classes = [group for group in reach.classes if group.objects]
    worst = sorted(classes, key=lambda group: (group.share, group.objects))[-MOST_CLASSES:]
    figure = new_figure(10, max(3.6, 1.2 + 0.19 * len(worst)))
    left, middle, right = figure.subplots(1, 3)
    _scales(left, reach)
    _shares(middle, "not reached, by side in input pixels", [group for group in reach.sizes[::-1] if group.objects])
    fewer = len(worst) < len(classes)
    _shares(right, f"not reached, the {MOST_CLASSES} worst classes" if fewer else "not reached, by class", worst)
    return to_png(figure)


def _scales(axes: Any, reach: Reach) -> None:
    plain_axes(axes, "objects per scale", values="x")
    plain_bars(axes)
    names = [scale.name for scale in reach.scales][::-1]
    axes.barh(names, [scale.reached for scale in reach.scales][::-1], color=NEUTRAL, height=0.7, label="reached")
    axes.barh(names, [scale.best for scale in reach.scales][::-1], color=GOOD, height=0.4, label="best box here")
    axes.legend(frameon=False, fontsize=7)


def _shares(axes: Any, title: str, groups: Sequence[GroupReach]) -> None:
    plain_axes(axes, title, values="x")
    plain_bars(axes)
    bars = axes.barh([group.name for group in groups], [100 * group.share for group in groups], color=BAD, height=0.7)
    axes.bar_label(bars, [f"{group.unreached:,} of {group.objects:,}" for group in groups], padding=3, fontsize=7)
    axes.set_xlim(0, 130)  # room for the numbers beside a full bar
    axes.set_xticks([0, 25, 50, 75, 100], ["0", "25", "50", "75", "100 %"])
