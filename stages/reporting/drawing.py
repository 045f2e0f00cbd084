"""The change of one row as a small drawing that stands in its line of the table: the paper's as a ring, ours as a dot
with its interval, on an axis that all rows share. Drawn by hand because it has to line up with the rows of the table.

Tested in tests/stages/reporting/test_curves.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stages.tables.content import Line

WIDTH, HEIGHT, MARGIN = 160, 26, 8
"""Pixels; the margin keeps a dot at an end whole."""


@dataclass(frozen=True)
class Axis:
    """From the lowest to the highest of the changes; zero is on it."""

    low: float
    high: float

    def place(self, value: float) -> float:
        """Pixels from the left."""
        return round(MARGIN + (value - self.low) / (self.high - self.low) * (WIDTH - 2 * MARGIN), 1)


def shared_axis(lines: Sequence[Line]) -> Axis | None:
    """None when no line has a change, or when their units differ."""
    values = [value for line in lines for value in _values(line)]
    if not values or len({line.unit for line in lines}) > 1 or min(values) == max(values) == 0:
        return None
    return Axis(min(0.0, *values), max(0.0, *values))


def drawn_change(line: Line, axis: Axis) -> str:
    """An `<svg>` element; nothing but the line of zero for a row without changes."""
    middle, zero = HEIGHT / 2, axis.place(0)
    parts = [f'<path d="M{zero} 0V{HEIGHT}" stroke="#c3cbd1"/>']
    if line.change_interval:
        low, high = (axis.place(value) for value in line.change_interval)
        parts.append(f'<path d="M{low} {middle}H{high}" stroke="#1f6f9c" stroke-width="2"/>')
    if line.change is not None:
        parts.append(f'<circle cx="{axis.place(line.change)}" cy="{middle}" r="4" fill="#1f6f9c"/>')
    if line.published_change is not None:
        place = axis.place(line.published_change)
        parts.append(f'<circle cx="{place}" cy="{middle}" r="4.5" fill="none" stroke="#8a6d1d" stroke-width="1.6"/>')
    size = f'width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"'
    return f'<svg {size} role="img" aria-label="changes of this row">{"".join(parts)}</svg>'


def _values(line: Line) -> list[float]:
    found = [line.published_change, line.change, *(line.change_interval or ())]
    return [value for value in found if value is not None]
