"""Figure of a confusion matrix: one row per object class, shaded by each row's shares, with counts as numbers.

Tested in tests/stages/analysis/test_analyze.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from stages.analysis.document import Document
from stages.figures.style import INK, new_figure

MOST_WITH_NUMBERS = 30
"""Largest number of classes at which the counts are still legible."""


def confusion_figure(document: Document) -> Any:
    """Confusion matrix of one detector. The background row is shaded relative to its own sum."""
    classes, counts = document["classes"], np.array(document["confusion"]["counts"])
    shares = counts / counts.sum(axis=1, keepdims=True).clip(1)
    side = 2.2 + 0.34 * min(len(counts), 60)
    figure = new_figure(side, side)
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    size = 7.5 if len(classes) <= MOST_WITH_NUMBERS else 4.5
    places = range(len(counts))
    axes.set_xticks(places, [*classes, "missed"], rotation=90, fontsize=size)
    axes.set_yticks(places, [*classes, "background"], fontsize=size)
    axes.axhline(len(classes) - 0.5, color=INK, linewidth=0.8)
    axes.axvline(len(classes) - 0.5, color=INK, linewidth=0.8)
    axes.set_xlabel(f"detected as (score ≥ {document['confusion']['score']:g})")
    axes.set_ylabel("object")
    if len(classes) <= MOST_WITH_NUMBERS:
        for row, column in np.argwhere(counts):
            ink = "white" if shares[row, column] > 0.5 else INK
            axes.text(column, row, f"{counts[row, column]}", ha="center", va="center", fontsize=5.5, color=ink)
    return figure
