"""Normalised average precision by object size and shape, one row per detector (paper, Figures 4 and 6).

Tested in tests/stages/analysis/test_hoiem_figures.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stages.analysis.document import Document
from stages.figures.style import new_figure

BINS = {"area": ("XS", "S", "M", "L", "XL"), "aspect": ("XT", "T", "M", "W", "XW")}
TITLES = {"area": "BBox Area", "aspect": "Aspect Ratio"}

STEP = 7
"""Horizontal positions per class: five bins, and two left free."""

LONGEST_NAME = 14
"""Letters of a class name that fit above its bins; longer ones are smaller."""

VALUES_FROM = -0.06
"""Top of the band below the curves that holds the values, upright, where they collide with nothing."""


def sensitivity_figure(
    detectors: Mapping[str, Document], *, shown: Sequence[str], properties: Sequence[str] = ("area", "aspect")
) -> Any:
    """`detectors` are documents by title; `shown` names the classes, without objects they are omitted."""
    longest = max(len(_present(document, shown)) for document in detectors.values())
    figure = new_figure(len(properties) * max(3.4, 0.9 + 1.0 * longest), 2.9 * len(detectors))
    grid = figure.subplots(len(detectors), len(properties), squeeze=False, sharey=True)
    for row, (title, document) in zip(grid, detectors.items(), strict=True):
        for axes, name in zip(row, properties, strict=True):
            _classes(axes, {of: document["sensitivity"][of] for of in _present(document, shown)}, name)
            axes.set_title(f"{title}: {TITLES[name]}" if title else TITLES[name])
    return figure


def _present(document: Document, shown: Sequence[str]) -> list[str]:
    return [name for name in shown if name in document["sensitivity"]]


def _classes(axes: Any, classes: Mapping[str, Document], name: str) -> None:
    for number, (title, sensitivity) in enumerate(classes.items()):
        _one(axes, STEP * number, sensitivity[name], sensitivity["overall"]["value"])
        size = 9 * min(1, LONGEST_NAME / len(title))
        axes.text(STEP * number + 2, 1.06, title, ha="center", va="bottom", fontsize=size)
    places = [STEP * number + place for number in range(len(classes)) for place in range(5)]
    axes.set_xticks(places, list(BINS[name]) * len(classes), fontsize=6.5)
    axes.tick_params(axis="x", length=0)
    axes.set_xlim(-1.5, STEP * len(classes) - 1)
    axes.set_ylim(VALUES_FROM - 0.18, 1.18)
    axes.set_yticks([0, 0.2, 0.4, 0.6, 0.8, 1])


def _one(axes: Any, start: int, bins: Sequence[Document], overall: float) -> None:
    """Draw the bins of one class from `start` on, without those that have no objects."""
    drawn = [(start + place, item) for place, item in enumerate(bins) if item["value"] is not None]
    places, values = [place for place, _ in drawn], [item["value"] for _, item in drawn]
    errors = [item["error"] for _, item in drawn]
    axes.plot([start - 0.6, start + 4.6], [overall, overall], color="black", linestyle="--", linewidth=0.8)
    axes.plot(places, values, color="blue", linewidth=1)
    axes.errorbar(places, values, yerr=errors, fmt="+", color="red", markersize=5, elinewidth=1, capsize=1.5)
    for place, value in zip(places, values, strict=True):
        axes.text(place, VALUES_FROM, f"{value:.2f}", rotation=90, ha="center", va="top", fontsize=6.5)
