"""Style shared by all figures: class colours, axes, and output as PNG (screen) or SVG (print).

Uses matplotlib without a display.

Tested in tests/stages/figures/test_sheet.py.
"""

from __future__ import annotations

import colorsys
import io
from typing import Any, Literal

INK, GRID = "#333333", "#dddddd"
GOOD, BAD, NEUTRAL = "#3b7ea1", "#c8553d", "#9aa5ad"

HUE_STEP, SATURATIONS, VALUES = 0.43, (0.95, 0.65, 0.45), (1.0, 0.6, 0.8)
"""Determined by search: among the first 20 classes, no two colours are closer than 0.27 in RGB."""

Colour = tuple[float, float, float]


def class_colour(label: int) -> Colour:
    """RGB colour in 0..1 of the class with this index."""
    hue = (0.02 + label * HUE_STEP) % 1.0
    return colorsys.hsv_to_rgb(hue, SATURATIONS[label // 8 % 3], VALUES[label // 5 % 3])


def ink_on(colour: Colour) -> str:
    """Black or white, whichever is more legible on `colour`."""
    return "black" if 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2] > 0.55 else "white"


def new_figure(width: float, height: float) -> Any:
    """An empty figure of a given size in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def plain_axes(axes: Any, title: str, *, values: Literal["x", "y"]) -> None:
    """Style axes without a frame, with a light grid along the value axis, which shows counts."""
    from matplotlib.ticker import AutoLocator

    axes.set_title(title, loc="left", fontsize=10, color=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(NEUTRAL)
    axes.set_axisbelow(True)
    axes.grid(axis=values, color=GRID, linewidth=0.6)
    axes.tick_params(labelsize=8, colors=INK)
    shown = axes.xaxis if values == "x" else axes.yaxis
    if isinstance(shown.get_major_locator(), AutoLocator):  # not where ticks are given
        shown.get_major_locator().set_params(integer=True)
    shown.set_major_formatter("{x:,.0f}")


def plain_bars(axes: Any) -> None:
    """Style axes for horizontal bars: names without ticks."""
    axes.tick_params(axis="y", length=0)


def to_png(figure: Any, dpi: int = 110) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=dpi, metadata={"Software": None})
    return stream.getvalue()


def to_jpeg(figure: Any, dpi: int = 120) -> bytes:
    """For photographs, which are a tenth of their size as PNG."""
    stream = io.BytesIO()
    figure.savefig(stream, format="jpeg", dpi=dpi, pil_kwargs={"quality": 82})
    return stream.getvalue()


def to_svg(figure: Any) -> bytes:
    import matplotlib as mpl

    stream = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "ssdpipe"}):
        figure.savefig(stream, format="svg", metadata={"Date": None})
    return stream.getvalue()


def png_and_svg(figure: Any) -> dict[str, bytes]:
    """File content by suffix; equal figures give equal bytes."""
    return {"png": to_png(figure), "svg": to_svg(figure)}
