"""Figure of a confusion matrix: one row per object class, with its shares as colour and in percent, and its count.

Tested in tests/stages/analysis/test_analyze.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from stages.analysis.document import Document
from stages.figures.style import INK, new_figure

MOST_WITH_NUMBERS = 30
"""Largest number of classes at which the percentages are still legible."""


def confusion_figure(document: Document) -> Any:
    """Confusion matrix of one detector. Shares of the background row are those of the detections on background."""
    classes, counts = document["classes"], np.array(document["confusion"]["counts"])
    sums = counts.sum(axis=1)
    shares = counts / sums[:, None].clip(1)
    side = 2.2 + 0.34 * min(len(counts), 60)
    figure = new_figure(side, side)
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    size = 7.5 if len(classes) <= MOST_WITH_NUMBERS else 4.5
    places = range(len(counts))
    axes.set_xticks(places, [*classes, "missed"], rotation=90, fontsize=size)
    names = (f"{name}  {number:,}" for name, number in zip([*classes, "background"], sums, strict=True))
    axes.set_yticks(places, names, fontsize=size)
    axes.axhline(len(classes) - 0.5, color=INK, linewidth=0.8)
    axes.axvline(len(classes) - 0.5, color=INK, linewidth=0.8)
    axes.set_xlabel(f"detected as (score ≥ {document['confusion']['score']:g})")
    axes.set_ylabel("object, with the number in its row")
    axes.set_title("percent of each row", fontsize=9, color=INK)
    if len(classes) <= MOST_WITH_NUMBERS:
        for row, column in np.argwhere(counts):
            ink = "white" if shares[row, column] > 0.5 else INK
            text = percent(shares[row, column])
            axes.text(column, row, text, ha="center", va="center", fontsize=6.5, color=ink)
    return figure


def percent(share: float) -> str:
    """Whole percents; what is not none does not read as 0, nor what is not all as 100."""
    if 0 < share < 0.01:
        return "<1"
    return f"{min(round(100 * share), 99) if share < 1 else 100}"
