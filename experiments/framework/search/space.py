"""The values that a search tries, by the settings of `-s`: `schedule.base_lr=1e-4..1e-2:log`, `optimiser=sgd|adamw`.

Trials are points of a quasi-random sequence, which covers the space evenly from the first point on. The sequence does
not depend on the number of trials or on results, so that a larger search contains a smaller one, and a repeated search
repeats its trainings.

Tested in tests/experiments/framework/search/test_space.py.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count, islice
from math import floor

from pipeline.errors import PipelineError

NUMBER = r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"
RANGE = re.compile(rf"({NUMBER})\.\.({NUMBER})(:log)?")
POINTS = 50
"""Points tried for each requested trial; some repeat others where values are few."""


@dataclass(frozen=True, kw_only=True)
class Axis(ABC):
    """The values of one setting."""

    name: str

    @abstractmethod
    def at(self, share: float) -> str:
        """The value at a place between 0 and 1."""


@dataclass(frozen=True, kw_only=True)
class Range(Axis):
    """Numbers between two ends; whole ones if both ends are written as whole numbers."""

    low: float
    high: float
    logarithmic: bool = False
    whole: bool = False

    def at(self, share: float) -> str:
        """A number of four digits, so that a person can type it again."""
        low, high = self.low - self.whole / 2, self.high + self.whole / 2
        value = low * (high / low) ** share if self.logarithmic else low + share * (high - low)
        return str(min(floor(value + 0.5), int(self.high))) if self.whole else f"{value:.4g}"


@dataclass(frozen=True, kw_only=True)
class Choice(Axis):
    values: tuple[str, ...]

    def at(self, share: float) -> str:
        return self.values[min(int(share * len(self.values)), len(self.values) - 1)]


def divided(settings: Iterable[str]) -> tuple[list[str], list[Axis]]:
    """Settings with one value, and those to search. Raises PipelineError for a wrong range or two of a setting."""
    fixed: list[str] = []
    axes: list[Axis] = []
    for setting in settings:
        name, _, text = (part.strip() for part in setting.partition("="))
        if ".." in text:
            axes.append(_range(name, text))
        elif "|" in text:
            axes.append(Choice(name=name, values=tuple(dict.fromkeys(part.strip() for part in text.split("|")))))
        else:
            fixed.append(setting)
    if repeated := [name for name, times in Counter(axis.name for axis in axes).items() if times > 1]:
        raise PipelineError(f"{', '.join(repeated)} is given two ranges: join them in one -s")
    return fixed, axes


def trials(axes: Sequence[Axis], number: int) -> list[tuple[str, ...]]:
    """The settings of each trial, all different; fewer than `number` where the values are exhausted."""
    points = islice(count(1), POINTS * number)
    drawn = (tuple(f"{axis.name}={axis.at(share)}" for axis, share in zip(axes, _point(at, len(axes)), strict=True))
             for at in points)  # fmt: skip
    return list(islice(dict.fromkeys(drawn), number))


def _point(at: int, dimensions: int) -> list[float]:
    """A point of Roberts' sequence R_d (2018): multiples of powers of the generalised golden ratio, modulo 1."""
    ratio = 2.0
    for _ in range(40):
        ratio = (1 + ratio) ** (1 / (dimensions + 1))
    return [(0.5 + at / ratio ** (dimension + 1)) % 1 for dimension in range(dimensions)]


def _range(name: str, text: str) -> Range:
    match = RANGE.fullmatch(text)
    if not match:
        raise PipelineError(f"{name}={text} is not a range: write it as 1e-4..1e-2:log, 0.5..0.9 or 2..8")
    low, high, logarithmic = float(match[1]), float(match[2]), bool(match[3])
    if not low < high or (logarithmic and low <= 0):
        raise PipelineError(
            f"{name}={text}: the first end must be below the second" + (", and above 0 for :log" if logarithmic else "")
        )
    whole = all(re.fullmatch(r"[-+]?\d+", end) for end in (match[1], match[2]))
    return Range(name=name, low=low, high=high, logarithmic=logarithmic, whole=whole)
