"""A figure as files: PNG to look at, SVG to print. The same figure gives the same bytes."""

from __future__ import annotations

import io
from typing import Any

from stages.figures.style import to_png


def png_and_svg(figure: Any) -> dict[str, bytes]:
    """Content by suffix."""
    return {"png": to_png(figure), "svg": to_svg(figure)}


def to_svg(figure: Any) -> bytes:
    import matplotlib as mpl

    stream = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "ssdpipe"}):
        figure.savefig(stream, format="svg", metadata={"Date": None})
    return stream.getvalue()
