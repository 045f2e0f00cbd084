"""Nested frozen dataclasses as plain values (dicts, lists, numbers, text) and back.

Weights files hold their specification in this form, so that loading one executes no code from it.
A field declared with an abstract class holds an instance of a subclass, named by `kind`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from inspect import isabstract
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

Config = TypeVar("Config")

KIND = "kind"


def to_plain(config: Any) -> dict[str, Any]:
    """Return the fields by name, nested; tuples stay tuples."""
    kind = {KIND: type(config).__name__} if any(map(isabstract, type(config).__mro__)) else {}
    return kind | {item.name: _plain(getattr(config, item.name)) for item in fields(config)}


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return to_plain(value)
    return tuple(map(_plain, value)) if isinstance(value, tuple) else value


def from_plain(kind: type[Config], value: dict[str, Any]) -> Config:
    """Rebuild a dataclass. Raises ValueError for an unknown field: the file is newer than this code."""
    if isabstract(kind):
        kind, value = _subclass(kind, value)
    hints = get_type_hints(kind)
    if unknown := sorted(set(value) - set(hints)):
        raise ValueError(
            f"{kind.__name__} has no field {', '.join(unknown)}: was this file written by a newer version?"
        )
    return kind(**{name: _rebuild(hints[name], item) for name, item in value.items()})


def _subclass(base: type[Config], value: dict[str, Any]) -> tuple[type[Config], dict[str, Any]]:
    """Return the subclass that the value names, and its fields; without a name, the first, as in files of format 1."""
    known = list(_subclasses(base))
    name = value.get(KIND, known[0].__name__)
    for kind in reversed(known):  # the newer of two with the same name: a module may have been loaded again
        if kind.__name__ == name:
            return kind, {field: item for field, item in value.items() if field != KIND}
    raise ValueError(
        f"there is no {base.__name__} {name!r}, only {', '.join(kind.__name__ for kind in known)}: "
        "import the module that defines it, or was this file written by a newer version?"
    )


def _subclasses(base: type[Config]) -> Iterator[type[Config]]:
    for kind in base.__subclasses__():
        if not isabstract(kind):
            yield kind
        yield from _subclasses(kind)


def _rebuild(hint: Any, value: Any) -> Any:
    if get_origin(hint) in (Union, UnionType):  # only `Config | None` occurs
        hint = next(option for option in get_args(hint) if option is not type(None))
    if value is None:
        return None
    if isinstance(hint, type) and (is_dataclass(hint) or isabstract(hint)):
        return from_plain(hint, value)
    if get_origin(hint) is tuple:
        items = get_args(hint)
        kinds = [items[0]] * len(value) if items[-1] is Ellipsis else items
        return tuple(_rebuild(item, part) for item, part in zip(kinds, value, strict=True))
    return value
