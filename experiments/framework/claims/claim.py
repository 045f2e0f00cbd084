"""A claim: a sentence that trainings can support or contradict, and the statistic that decides.

    Claim("Oblong boxes help.", Difference("squares and oblongs", "squares only"))

Every statistic is one or several contrasts: weighted sums of numbers of an experiment, or of their logarithms.

Tested in tests/experiments/framework/claims/test_judging.py.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass
from math import log

from pipeline.folder import Folder
from pipeline.store.record import read_summary


@dataclass(frozen=True)
class At:
    """A number of the experiment's table. A row's label alone stands for it in a table of one column."""

    row: str
    column: str = ""


@dataclass(frozen=True)
class Recorded:
    """A number that a stage besides the table records, such as a speed or a share of errors."""

    stage: str
    """Address of the stage, without a seed."""

    metric: str
    """Name in its summary, for messages and for the default `read`."""

    _: KW_ONLY
    error: float
    """Its standard error, assumed: the stage measures once. Relative for a ratio."""

    published: float | None = None
    read: Callable[[Folder], float | None] | None = None
    """Reads the number from the stage's result instead of its summary."""

    def value(self, result: Folder) -> float | None:
        return self.read(result) if self.read else read_summary(result).get(self.metric)


Quantity = At | Recorded


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """The weighted sum of some numbers, or of their logarithms, above `offset`."""

    weights: Mapping[Quantity, float]
    offset: float = 0.0
    logarithmic: bool = False


class Statistic(ABC):
    """What a claim says of an experiment's numbers: each of its contrasts is above 0."""

    has_size = False
    """Whether the paper's value of it is judged, besides the direction."""

    compares_levels = False
    """Whether it needs levels that compare with the paper's, as only the presets with the paper's detector have."""

    @abstractmethod
    def contrasts(self) -> tuple[Contrast, ...]: ...


@dataclass(frozen=True)
class Difference(Statistic):
    """The first number minus the second."""

    more: str | Quantity
    less: str | Quantity
    has_size = True

    def contrasts(self) -> tuple[Contrast, ...]:
        return (Contrast(weights={_at(self.more): 1.0, _at(self.less): -1.0}),)


@dataclass(frozen=True)
class Ratio(Statistic):
    """The first number over the second, as for speeds."""

    more: str | Quantity
    less: str | Quantity
    has_size = True

    def contrasts(self) -> tuple[Contrast, ...]:
        return (Contrast(weights={_at(self.more): 1.0, _at(self.less): -1.0}, logarithmic=True),)


@dataclass(frozen=True)
class Order(Statistic):
    """The numbers fall from each to the next: supported only if every step is."""

    falling: tuple[str | Quantity, ...]

    def contrasts(self) -> tuple[Contrast, ...]:
        pairs = zip(self.falling, self.falling[1:], strict=False)
        return tuple(contrast for more, less in pairs for contrast in Difference(more, less).contrasts())


@dataclass(frozen=True)
class Trend(Statistic):
    """The numbers fall along a line fitted to all of them; its value is the fall from the first to the last."""

    falling: tuple[str | Quantity, ...]
    has_size = True

    def contrasts(self) -> tuple[Contrast, ...]:
        last = len(self.falling) - 1
        squares = sum((place - last / 2) ** 2 for place in range(last + 1))
        weights = {_at(each): last * (last / 2 - place) / squares for place, each in enumerate(self.falling)}
        return (Contrast(weights=weights),)


@dataclass(frozen=True)
class GainsMore(Statistic):
    """The first difference is larger than the second."""

    first: Difference
    second: Difference
    has_size = True

    def contrasts(self) -> tuple[Contrast, ...]:
        weights: dict[Quantity, float] = {}
        for difference, sign in ((self.first, 1.0), (self.second, -1.0)):
            for quantity, weight in difference.contrasts()[0].weights.items():
                weights[quantity] = weights.get(quantity, 0.0) + sign * weight
        return (Contrast(weights=weights),)


@dataclass(frozen=True)
class AtLeast(Statistic):
    """The number is above a fixed one, such as another detector's; speeds are compared by their ratio."""

    quantity: str | Quantity
    level: float
    _: KW_ONLY
    ratio: bool = False

    @property
    def compares_levels(self) -> bool:  # type: ignore[override]
        return not self.ratio

    def contrasts(self) -> tuple[Contrast, ...]:
        offset = log(self.level) if self.ratio else self.level
        return (Contrast(weights={_at(self.quantity): 1.0}, offset=offset, logarithmic=self.ratio),)


@dataclass(frozen=True)
class Claim:
    """One sentence that can be checked."""

    sentence: str
    statistic: Statistic
    _: KW_ONLY
    section: str = ""
    """Of the paper, as "3.2" or "Table 6"."""

    within: float | None = None
    """If given, the claim is that there is no difference beyond it: judged by a test of equivalence."""

    def quantities(self) -> set[Quantity]:
        """The numbers that the claim is about."""
        return {quantity for contrast in self.statistic.contrasts() for quantity in contrast.weights}


def _at(named: str | Quantity) -> Quantity:
    return At(named) if isinstance(named, str) else named
