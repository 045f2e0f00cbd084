"""Kinds of detections and of false positives against their number, one column per group (paper, Figure 3).

Tested in tests/stages/analysis/test_hoiem_figures.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stages.analysis.document import Document
from stages.figures.style import new_figure

COLOURS = {
    "Cor": "#ffffff",
    "Loc": "#4f81bd",
    "Sim": "#c0504d",
    "Oth": "#5ce660",  # (77, 192, 80) * 1.2
    "BG": "#8064a2",
}


def trends_figure(document: Document) -> Any:
    """Trends of one detector in all its groups."""
    groups = document["groups"]
    figure = new_figure(3.4 * len(groups) + 1.1, 6.4)
    rows = figure.subplots(2, len(groups), squeeze=False)
    for column, (name, group) in enumerate(groups.items()):
        _detections(rows[0][column], name, group["detections"])
        _false_positives(rows[1][column], name, group["false_positives"])
    for row in rows:
        _legend(row[-1])
    return figure


def _legend(axes: Any) -> None:
    """Add a legend beside the last chart of a row, in the order of the areas from the top."""
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles[::-1], labels[::-1], loc="center left", bbox_to_anchor=(1.02, 0.5), fontsize=8, frameon=False)


def _detections(axes: Any, name: str, trend: Document) -> None:
    _areas(axes, trend, ("Cor", "Loc", "Sim", "Oth", "BG"))
    places = range(len(trend["ticks"]))
    axes.plot(places, _percent(trend["recall"]), color="red", linewidth=2.2, label="recall")
    axes.plot(
        places, _percent(trend["weak_recall"]), color="red", linewidth=2.2, linestyle="--", label="recall,\nIoU 0.1"
    )
    axes.set_title(name)
    axes.set_xlabel(f"total detections (x {trend['objects']})")


def _false_positives(axes: Any, name: str, trend: Document) -> None:
    _areas(axes, trend, ("Loc", "Sim", "Oth", "BG"))
    if trend["BG"][0] is None:
        few = f"fewer than {trend['ticks'][0]:g}"
        axes.text(0.5, 0.5, few, ha="center", va="center", fontsize=9, transform=axes.transAxes)
    axes.set_title(name)
    axes.set_xlabel("total false positives")


def _areas(axes: Any, trend: Document, kinds: Sequence[str]) -> None:
    """Draw stacked shares over equally spaced ticks."""
    ticks = trend["ticks"]
    axes.stackplot(
        range(len(ticks)),
        [_percent(trend[kind]) for kind in kinds],
        labels=kinds,
        colors=[COLOURS[kind] for kind in kinds],
        edgecolor="black",
        linewidth=0.6,
    )
    axes.set_xticks(range(len(ticks)), [f"{tick:g}" for tick in ticks], fontsize=8)
    axes.set_xlim(0, len(ticks) - 1)
    axes.set_ylim(0, 100)
    axes.set_ylabel("percentage of each type")


def _percent(shares: Sequence[float | None]) -> list[float]:
    """Shares in percent; undefined ones as NaN, which is not drawn."""
    return [float("nan") if share is None else 100 * share for share in shares]
