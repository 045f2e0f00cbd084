"""`-s schedule.base_lr=0.0005`: change fields of nested frozen dataclasses from text, with a check of types."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, is_dataclass, replace
from difflib import get_close_matches
from enum import Enum
from types import GenericAlias, NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from pipeline.errors import PipelineError

Config = TypeVar("Config")


def override(config: Config, settings: Iterable[str]) -> Config:
    """`config` with every `field.path=value` applied in turn.

    Values: numbers, true or false, none, text, members of enums and literals, and tuples as `40000,50000`.
    Raises PipelineError for an unknown field (with a near miss), a value of another type, or one that the dataclass
    itself refuses.
    """
    for setting in settings:
        path, separator, text = setting.partition("=")
        if not separator:
            raise PipelineError(f"{setting!r} is no setting: write field=value, such as schedule.base_lr=0.0005")
        config = _replaced(config, path.strip().split("."), text.strip(), path.strip())
    return config


def _replaced(owner: Any, names: list[str], text: str, path: str) -> Any:
    name, *rest = names
    known = [member.name for member in fields(owner)]
    if name not in known:
        near = get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(known)}"
        raise PipelineError(f"{path}: {type(owner).__name__} has no field {name!r}; {hint}")
    current = getattr(owner, name)
    if rest:
        if not is_dataclass(current):
            raise PipelineError(f"{path}: {name!r} is a {type(current).__name__} and has no fields")
        value = _replaced(current, rest, text, path)
    else:
        value = _parsed(text, _hint(owner, name), path)
    try:
        return replace(owner, **{name: value})
    except ValueError as error:
        raise PipelineError(f"{path}={text}: {error}") from error


def _hint(owner: Any, name: str) -> Any:
    """The declared type; that of the current value where annotations cannot be read at run time."""
    try:
        return get_type_hints(type(owner))[name]
    except NameError:
        current = getattr(owner, name)
        return GenericAlias(tuple, (type(current[0]), ...)) if isinstance(current, tuple) and current else type(current)


def _parsed(text: str, hint: Any, path: str) -> Any:
    try:
        return _value(text, hint)
    except ValueError as error:
        raise PipelineError(f"{path}: expected {error}, got {text!r}") from None


def _value(text: str, hint: Any) -> Any:
    """The value of a text; raises ValueError saying what was expected."""
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return _first(text, get_args(hint))
    if origin is Literal:
        return _choice(text, {str(choice): choice for choice in get_args(hint)})
    if origin is tuple or hint is tuple:
        return _tuple(text, get_args(hint))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _choice(text, {member.name: member for member in hint})
    if hint in _SCALARS:
        return _SCALARS[hint](text)
    raise ValueError(f"a field that can be set from text, not a {getattr(hint, '__name__', hint)} (set its own fields)")


def _first(text: str, hints: tuple[Any, ...]) -> Any:
    expected = []
    for hint in sorted(hints, key=lambda hint: hint is str):  # text takes everything, so it comes last
        try:
            return _value(text, hint)
        except ValueError as error:
            expected.append(str(error))
    raise ValueError(" or ".join(expected))


def _choice(text: str, choices: dict[str, Any]) -> Any:
    if text not in choices:
        raise ValueError(f"one of {', '.join(choices)}")
    return choices[text]


def _tuple(text: str, hints: tuple[Any, ...]) -> tuple[Any, ...]:
    parts = [part.strip() for part in text.strip("()[]").split(",") if part.strip()]
    if len(hints) == 2 and hints[1] is Ellipsis:
        return tuple(_value(part, hints[0]) for part in parts)
    if len(parts) != len(hints):
        raise ValueError(f"{len(hints)} values with commas between them")
    return tuple(_value(part, hint) for part, hint in zip(parts, hints, strict=True))


def _bool(text: str) -> bool:
    return bool(_choice(text.lower(), {"true": True, "false": False}))


def _none(text: str) -> None:
    _choice(text.lower(), {"none": None})


def _int(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError("a whole number") from None


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError("a number") from None


_SCALARS: dict[Any, Any] = {bool: _bool, int: _int, float: _float, str: str, NoneType: _none}
