"""The average precision that each kind of error costs, as bars (TIDE).

Tested in tests/stages/analysis/judging/test_judgements.py.
"""

from __future__ import annotations

from typing import Any

from stages.analysis.document import Document
from stages.analysis.hoiem_trends_figure import COLOURS as HOIEM_COLOURS
from stages.figures.style import INK, NEUTRAL, new_figure, plain_axes, plain_bars

COLOURS = {
    "Cls": HOIEM_COLOURS["Sim"],
    "Loc": HOIEM_COLOURS["Loc"],
    "Both": HOIEM_COLOURS["Oth"],
    "Dupe": "#e0a030",
    "Bkg": HOIEM_COLOURS["BG"],
    "Miss": NEUTRAL,
}
"""Each error has the colour of the kind of Hoiem et al. that is nearest to it."""

MEANINGS = {
    "Cls": "wrong class",
    "Loc": "wrong place",
    "Both": "class and place",
    "Dupe": "duplicate",
    "Bkg": "background",
    "Miss": "missed",
}


def tide_figure(document: Document) -> Any:
    """Bars of the six errors in points of average precision."""
    errors = document["tide"]["errors"]
    names = list(MEANINGS)[::-1]
    values = [100 * errors[name]["dAP"] for name in names]
    figure = new_figure(5.6, 2.9)
    axes = figure.subplots()
    plain_axes(axes, f"average precision lost at IoU {document['iou']:g}, points", values="x")
    plain_bars(axes)
    axes.barh([f"{MEANINGS[name]} ({name})" for name in names], values, color=[COLOURS[name] for name in names])
    for place, value in enumerate(values):
        axes.annotate(f"{value:.1f}", (value, place), (4, 0), textcoords="offset points", va="center", fontsize=8)
    axes.set_xlim(0, max(1.0, *values) * 1.12)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.tick_params(axis="y", labelsize=9, labelcolor=INK)
    return figure
