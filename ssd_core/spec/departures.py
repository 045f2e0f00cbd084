"""Settings as flat names and values, and their departures from the paper's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass

from ssd_core.spec.detector import ExtraLayer, Source
from ssd_core.spec.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class Departure:
    """A setting that differs from the paper's; empty text where one side has no such setting."""

    field: str
    ours: str
    paper: str


def leaves(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield each setting as (dotted path, text); dataclasses in a tuple are named by layer, else by index."""
    if is_dataclass(value):
        items = [(item.name, getattr(value, item.name)) for item in fields(value)]
    elif isinstance(value, tuple) and value and is_dataclass(value[0]):
        items = [(_label(item, index), item) for index, item in enumerate(value)]
    else:
        yield path, ",".join(map(_text, value)) if isinstance(value, tuple) else _text(value)
        return
    for name, item in items:
        yield from leaves(item, f"{path}.{name}".lstrip("."))


def departures(recipe: Recipe) -> list[Departure]:
    """Return all settings that differ from the paper's SSD300 on VOC 07+12."""
    return differences(dict(leaves(recipe)), dict(leaves(Recipe())))


def differences(ours: Mapping[str, str], paper: Mapping[str, str]) -> list[Departure]:
    """Return the settings that differ, by name and text."""
    names = [*ours, *(name for name in paper if name not in ours)]
    return [
        Departure(field=name, ours=ours.get(name, ""), paper=paper.get(name, ""))
        for name in names
        if ours.get(name) != paper.get(name)
    ]


def _label(item: object, index: int) -> str:
    match item:
        case Source(layer=name) | ExtraLayer(name=name):
            return name
        case _:
            return str(index)


def _text(value: object) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)
