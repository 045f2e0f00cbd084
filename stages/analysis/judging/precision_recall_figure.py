"""Curves of precision against recall, one chart per class; the shaded area is the average precision.

Tested in tests/stages/analysis/judging/test_judgements.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stages.analysis.document import Document
from stages.figures.style import GOOD, INK, new_figure, plain_axes

COLUMNS = 4

MOST_CURVES = 20
"""Largest number of classes that are all drawn."""


def precision_recall_figure(document: Document, *, shown: Sequence[str]) -> Any:
    """Curves of all classes that have objects; if they are too many, of those `shown`."""
    every = document["precision_recall"]
    curves = every if len(every) <= MOST_CURVES else {name: every[name] for name in shown if name in every}
    columns = min(COLUMNS, max(1, len(curves)))
    rows = max(1, -(-len(curves) // columns))
    figure = new_figure(2.2 * columns + 0.4, 2.1 * rows + 0.3)
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    for axes, (name, curve) in zip(grid.flat, curves.items(), strict=False):
        _curve(axes, name, curve)
    for axes in list(grid.flat)[len(curves) :]:
        axes.set_axis_off()
    part = f" ({len(curves)} of {len(every)} classes)" if len(curves) < len(every) else ""
    figure.supxlabel(f"recall{part}", fontsize=9, color=INK)
    figure.supylabel(f"precision at IoU {document['iou']:g}", fontsize=9, color=INK)
    return figure


def _curve(axes: Any, name: str, curve: Document) -> None:
    plain_axes(axes, f"{name}  {100 * curve['AP']:.1f}", values="y")
    recall, precision = [0.0, *curve["recall"]], [*curve["precision"], 0.0]
    axes.stairs(curve["precision"], recall, fill=True, color=GOOD, alpha=0.3)
    axes.step(recall, precision, where="post", color=GOOD, linewidth=1.3)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.03)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:g}")
        axis.set_ticks([0, 0.5, 1])
