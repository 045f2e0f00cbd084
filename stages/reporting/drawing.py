"""The change of one row as a small drawing in its line of the table.

The paper's change is a ring, ours a dot with its interval, on an axis that all rows share. It is not a plot by
matplotlib because it has to line up with the rows of the table.

Tested in tests/stages/reporting/test_curves.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stages.tables.content import Line

WIDTH, HEIGHT, MARGIN = 160, 26, 8
"""Size in pixels; the margin keeps a dot at either end complete."""


@dataclass(frozen=True)
class Axis:
    """Range from the lowest to the highest change; it includes zero."""

    low: float
    high: float

    def place(self, value: float) -> float:
        """Position of a value in pixels from the left."""
        return round(MARGIN + (value - self.low) / (self.high - self.low) * (WIDTH - 2 * MARGIN), 1)


def shared_axis(lines: Sequence[Line]) -> Axis | None:
    """Axis for all lines; None if no line has a change or their units differ."""
    values = [value for line in lines for value in _values(line)]
    if not values or len({line.unit for line in lines}) > 1 or min(values) == max(values) == 0:
        return None
    return Axis(min(0.0, *values), max(0.0, *values))


@dataclass(frozen=True, kw_only=True)
class DrawnChange:
    """Positions in pixels from the left; None is not drawn."""

    zero: float
    interval: tuple[float, float] | None
    ours: float | None
    theirs: float | None
    width: int = WIDTH
    height: int = HEIGHT


def drawn_change(line: Line, axis: Axis) -> DrawnChange:
    """Drawing of a line's changes; without changes, only the zero line."""
    bounds = line.change_interval
    return DrawnChange(
        zero=axis.place(0),
        interval=(axis.place(bounds[0]), axis.place(bounds[1])) if bounds else None,
        ours=None if line.change is None else axis.place(line.change),
        theirs=None if line.published_change is None else axis.place(line.published_change),
    )


def _values(line: Line) -> list[float]:
    values = [line.published_change, line.change, *(line.change_interval or ())]
    return [value for value in values if value is not None]
