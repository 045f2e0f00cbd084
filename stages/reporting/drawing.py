"""The change of one row as a small drawing in its line of the table.

The paper's change is a ring, ours a dot with its interval, on an axis that all rows share. It is not a plot by
matplotlib because it has to line up with the rows of the table.

Tested in tests/stages/reporting/test_curves.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor

from stages.tables.content import Line, Unit

WIDTH, HEIGHT, MARGIN = 160, 26, 8
"""Size in pixels; the margin keeps a dot at either end complete."""

MOST_STEPS = 4
"""Largest number of steps between the numbers on the axis."""


@dataclass(frozen=True)
class Axis:
    """Range from the lowest to the highest change; it includes zero."""

    low: float
    high: float
    unit: Unit = "percent"

    def place(self, value: float) -> float:
        """Position of a value in pixels from the left."""
        return round(MARGIN + (value - self.low) / (self.high - self.low) * (WIDTH - 2 * MARGIN), 1)


@dataclass(frozen=True, kw_only=True)
class DrawnAxis:
    """Positions in pixels from the left, and texts, of the numbers above the changes."""

    ticks: tuple[tuple[float, str], ...]
    width: int = WIDTH
    height: int = HEIGHT // 2 + 2


def drawn_axis(axis: Axis) -> DrawnAxis:
    """Round numbers on the axis, zero among them, not more than have room."""
    scale = 100 if axis.unit == "percent" else 1
    low, high = axis.low * scale, axis.high * scale
    steps = (base * 10.0**power for power in range(-6, 7) for base in (1, 2, 5))
    step = next(step for step in steps if (high - low) / step <= MOST_STEPS)
    numbers = (count * step for count in range(ceil(low / step), floor(high / step) + 1))
    return DrawnAxis(ticks=tuple((axis.place(number / scale), f"{number:+g}" if number else "0") for number in numbers))


def shared_axis(lines: Sequence[Line]) -> Axis | None:
    """Axis for all lines; None if no line has a change or their units differ."""
    values = [value for line in lines for value in _values(line)]
    units = {line.unit for line in lines}
    if not values or len(units) > 1 or min(values) == max(values) == 0:
        return None
    return Axis(min(0.0, *values), max(0.0, *values), units.pop())


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
