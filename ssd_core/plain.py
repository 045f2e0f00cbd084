"""Nested frozen dataclasses as plain values (dicts, lists, numbers, text) and back.

Weights carry their specification in this form, so that loading a file executes nothing in it.
"""

from __future__ import annotations

from dataclasses import asdict, is_dataclass
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

Config = TypeVar("Config")


def to_plain(config: Any) -> dict[str, Any]:
    """Fields by name, nested; tuples stay tuples."""
    return asdict(config)


def from_plain(kind: type[Config], value: dict[str, Any]) -> Config:
    """Rebuild a dataclass. An unknown field raises ValueError: the file is newer than this code."""
    hints = get_type_hints(kind)
    if unknown := sorted(set(value) - set(hints)):
        raise ValueError(
            f"{kind.__name__} has no field {', '.join(unknown)}: was this file written by a newer version?"
        )
    return kind(**{name: _rebuild(hints[name], item) for name, item in value.items()})


def _rebuild(hint: Any, value: Any) -> Any:
    if get_origin(hint) in (Union, UnionType):  # only `Config | None` occurs
        hint = next(option for option in get_args(hint) if option is not type(None))
    if value is None:
        return None
    if is_dataclass(hint) and isinstance(hint, type):
        return from_plain(hint, value)
    if get_origin(hint) is tuple:
        items = get_args(hint)
        kinds = [items[0]] * len(value) if items[-1] is Ellipsis else items
        return tuple(_rebuild(item, part) for item, part in zip(kinds, value, strict=True))
    return value
