"""Precision against score, by tenth of the score: a calibrated detector is on the diagonal.

Tested in tests/stages/analysis/judging/test_judgements.py.
"""

from __future__ import annotations

from typing import Any

from stages.analysis.document import Document
from stages.figures.style import BAD, GOOD, INK, NEUTRAL, new_figure, plain_axes


def calibration_figure(document: Document) -> Any:
    """Precision of each bin above the number of its detections."""
    found = document["calibration"]
    figure = new_figure(4.6, 4.2)
    above, below = figure.subplots(2, 1, height_ratios=(3, 1), sharex=True)
    title = "scores are not between 0 and 1" if not found else _title(found)
    plain_axes(above, title, values="y")
    plain_axes(below, "", values="y")
    above.plot([0, 1], [0, 1], color=NEUTRAL, linestyle="--", linewidth=1)
    if found:
        _bins(above, below, found)
    above.set_ylabel("precision", fontsize=9, color=INK)
    above.set_ylim(0, 1.03)
    above.yaxis.set_major_formatter("{x:g}")
    below.set_ylabel("detections", fontsize=9, color=INK)
    below.set_xlabel("score", fontsize=9, color=INK)
    below.set_xlim(0, 1)
    return figure


def _title(found: Document) -> str:
    parts = [("all scores", found["error"]), (f"score ≥ {found['score']:g}", found["error_above"])]
    texts = [f"{name}: {100 * value:.1f}" for name, value in parts if value is not None]
    return "calibration error, points: " + ", ".join(texts) if texts else "no detection"


def _bins(above: Any, below: Any, found: Document) -> None:
    width = 1 / len(found["counts"])
    middles = [width * (number + 0.5) for number in range(len(found["counts"]))]
    heights = [value or 0.0 for value in found["precision"]]
    above.bar(middles, heights, width=0.92 * width, color=GOOD)
    drawn = [
        (score, value) for score, value in zip(found["scores"], found["precision"], strict=True) if value is not None
    ]
    above.plot([score for score, _ in drawn], [value for _, value in drawn], "o", color=BAD, markersize=4)
    below.bar(middles, found["counts"], width=0.92 * width, color=NEUTRAL)
    below.set_yscale("symlog", linthresh=1)
    below.set_ylim(bottom=0)
