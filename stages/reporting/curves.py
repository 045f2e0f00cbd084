"""Training curves as SVG, one figure per metric with a common legend; uses matplotlib without a display."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stages.evaluation.protocol import CURVE_NAME
from stages.figures.style import new_figure, plain_axes, to_svg
from stages.reporting.content import Curve

METRICS = {
    "loss": "training loss",
    CURVE_NAME: "validation mAP, percent",
    "learning_rate": "learning rate",
    "throughput/images_per_second": "images per second",
}
"""Titles of the metrics that are shown if recorded."""

COLOURS = (
    "#332288", "#cc6677", "#44aa99", "#ddaa33", "#882255", "#88ccee", "#117733", "#ee7733", "#555555", "#aa4499",
    "#0077bb", "#999933",
)  # fmt: skip
"""Colours of the rows, from Paul Tol's schemes, which colour-blind readers can distinguish."""

POINTS = 300
"""Largest number of points of a curve; longer ones are shown as means over equal numbers of points."""

DECADE = 10


@dataclass(frozen=True, kw_only=True)
class Charts:
    colours: Mapping[str, str]
    """Colour of each row, for the legend."""

    figures: Mapping[str, bytes]
    """SVG figures by title."""


def charts(curves: Sequence[Curve]) -> Charts | None:
    """One figure per metric; None without curves."""
    rows = list(dict.fromkeys(curve.row for curve in curves))
    colours = {row: COLOURS[place % len(COLOURS)] for place, row in enumerate(rows)}
    metrics = [name for name in METRICS if any(curve.values.get(name) for curve in curves)]
    figures = {METRICS[name]: chart(name, curves, colours) for name in metrics}
    return Charts(colours=colours, figures=figures) if figures else None


def chart(metric: str, curves: Sequence[Curve], colours: Mapping[str, str]) -> bytes:
    """SVG chart of one metric over the steps; the seeds of a row share its colour."""
    figure = new_figure(5.0, 2.9)
    axes = figure.subplots()
    plain_axes(axes, "", values="y")
    for curve in curves:
        points = thinned(curve.values.get(metric, ()))
        scale = 100 if metric == CURVE_NAME else 1
        marker = "o" if len(points) < 12 else ""
        axes.plot(
            [step for step, _ in points],
            [scale * value for _, value in points],
            color=colours[curve.row],
            linewidth=1.3,
            marker=marker,
            markersize=3,
            alpha=0.85,
        )
    _scales(axes)
    axes.set_xlabel("iteration", fontsize=8)
    return to_svg(figure)


def thinned(points: Sequence[tuple[int, float]], most: int = POINTS) -> list[tuple[int, float]]:
    """Means over blocks of equal size, each at its last step."""
    size = -(-len(points) // most)
    blocks = [points[start : start + size] for start in range(0, len(points), size or 1)]
    return [(block[-1][0], sum(value for _, value in block) / len(block)) for block in blocks]


def _scales(axes: Any) -> None:
    """Set the scales: values that span a decade or more get a logarithmic axis with ticks at 1, 2 and 5."""
    from matplotlib.ticker import LogLocator, NullFormatter

    values = [value for line in axes.lines for value in line.get_ydata()]
    if values and min(values) > 0 and max(values) >= DECADE * min(values):
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.xaxis.get_major_locator().set_params(nbins=5, integer=True)
