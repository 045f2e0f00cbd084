"""Claims as plain values, and back: a fixed set of classes, no code.

A number that a function reads from a result is taken back only where a claim of the installed version reads it too.

Tested in tests/experiments/framework/bundles/test_statements.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import partial
from typing import Any

from experiments.framework.claims.claim import (
    At,
    AtLeast,
    Claim,
    Difference,
    GainsMore,
    Order,
    Quantity,
    Ratio,
    Recorded,
    Trend,
)
from pipeline.errors import PipelineError
from pipeline.folder import Folder
from pipeline.keys.fingerprint import encode

KIND = "kind"
KINDS: dict[str, type] = {
    kind.__name__: kind for kind in (Claim, At, Recorded, Difference, Ratio, Order, Trend, GainsMore, AtLeast)
}


def stated(claim: Claim) -> dict[str, Any]:
    """The claim as plain values; of a function that reads a number, its name."""
    plain: dict[str, Any] = _plain(claim)
    return plain


def restated(values: Iterable[Any], installed: Sequence[Claim]) -> tuple[list[Claim], list[str]]:
    """The claims, and the sentences of those that rest on a function which is not part of the installed version.

    Raises PipelineError for values that are no claim.
    """
    recorded = (each for claim in installed for each in quantities(claim) if isinstance(each, Recorded))
    known = {_source(each, _reading(each.read)): each.read for each in recorded}
    claims, foreign = list[Claim](), list[str]()
    for value in values:
        try:
            claims.append(_claim(value, known))
        except _Foreign:
            foreign.append(str(value["sentence"]))
        except (TypeError, ValueError, AttributeError, KeyError) as error:
            raise PipelineError(f"the bundle holds a claim that cannot be read: {error}") from error
    return claims, foreign


def quantities(claim: Claim) -> list[Quantity]:
    """The numbers that a claim is about."""
    return [each for contrast in claim.statistic.contrasts() for each in contrast.weights]


_Source = tuple[str, str, str]
_Known = Mapping[_Source, Callable[[Folder], float | None] | None]


class _Foreign(Exception):
    """A number is read by a function that is not installed."""


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        members = {item.name: _plain(getattr(value, item.name)) for item in fields(value)}
        if isinstance(value, Recorded):
            members["read"] = _reading(value.read)
        return {KIND: type(value).__name__, **members}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def _reading(read: Any) -> Any:
    """The name of a function that reads a number, with the arguments that are bound to it."""
    if isinstance(read, partial):
        return {
            "function": read.func.__qualname__,
            "with": {name: _plain(held) for name, held in read.keywords.items()},
        }
    return {"function": getattr(read, "__qualname__", "")} if read else None


def _claim(value: Any, known: _Known) -> Claim:
    claim = _value(value, known)
    if not isinstance(claim, Claim):
        raise TypeError("it is of another kind")
    if not all(isinstance(weight, float) for each in claim.statistic.contrasts() for weight in each.weights.values()):
        raise TypeError("a weight is not a number")
    return claim


def _value(value: Any, known: _Known) -> Any:
    if isinstance(value, list):
        return tuple(_value(item, known) for item in value)
    if not isinstance(value, dict):
        return value
    kind = KINDS[value[KIND]]
    members = {name: _value(item, known) for name, item in value.items() if name not in (KIND, "read")}
    if not (reading := value.get("read")):
        return kind(**members)
    recorded = Recorded(**members)
    if (source := _source(recorded, reading)) not in known:
        raise _Foreign
    return Recorded(**members, read=known[source])


def _source(recorded: Recorded, reading: Any) -> _Source:
    return recorded.stage, recorded.metric, encode(reading)
