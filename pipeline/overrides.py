"""Change fields of nested frozen dataclasses from text such as `schedule.base_lr=0.0005`, with type checks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from math import isfinite
from types import GenericAlias, NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from pipeline.errors import PipelineError
from pipeline.suggestion import nearest, suggestion

Config = TypeVar("Config")


def override(config: Config, settings: Iterable[str], *, root: str = "") -> Config:
    """Return `config` with every `field.path=value` applied in turn.

    A path may begin with `root`, the name of `config` itself. An item of a tuple is named by its index, or by the
    text in its first field, such as a layer's name: `sources.0.step`, `sources.conv7.step`.
    Values: numbers, true or false, none, text, members of enums and literals, and tuples as `40000,50000`.
    Raises PipelineError for an unknown field (suggesting a similar name), a value of the wrong type, or a value that
    the dataclass itself rejects.
    """
    for setting in settings:
        path, separator, text = (part.strip() for part in setting.partition("="))
        if not separator:
            raise PipelineError(f"{setting!r} is not a setting: write field=value, such as schedule.base_lr=0.0005")
        names = path.split(".")
        if names[0] == root and len(names) > 1:
            del names[0]
        config = _replaced(config, None, names, text, path)
    return config


def _replaced(owner: Any, hint: Any, names: list[str], text: str, path: str) -> Any:
    """Return `owner`, declared as `hint`, with the value at the path `names` below it parsed from `text`."""
    if not names:
        return _parsed(text, hint, path)
    if isinstance(owner, tuple):
        return _with_part(owner, hint, names, text, path)
    if not is_dataclass(owner):
        raise PipelineError(f"{path}: {owner!r} is a {type(owner).__name__} and has no part {names[0]!r}")
    name, *rest = names
    if name not in (known := [member.name for member in fields(owner)]):
        raise PipelineError(f"{path}: {type(owner).__name__} has no field {name!r}; {_meant(owner, name, known)}")
    value = _replaced(getattr(owner, name), _hint(owner, name), rest, text, path)
    try:
        return replace(owner, **{name: value})  # type: ignore[type-var]
    except ValueError as error:
        raise PipelineError(f"{path}={text}: {error}") from error
    except ArithmeticError as error:  # a stride of 0, or a number that is too large
        raise PipelineError(f"{path}={text}: nothing can be computed with this value ({error})") from error


def _with_part(owner: tuple[Any, ...], hint: Any, names: list[str], text: str, path: str) -> tuple[Any, ...]:
    name, *rest = names
    labels, places = [_label(part) for part in owner], [str(place) for place in range(len(owner))]
    if name not in labels and name not in places:
        raise PipelineError(f"{path}: there is no part {name!r}; {suggestion(name, [*filter(None, labels), *places])}")
    place = labels.index(name) if name in labels else int(name)
    part = _replaced(owner[place], _hint_of_part(hint, owner, place), rest, text, path)
    return (*owner[:place], part, *owner[place + 1 :])


def distinct_labels(parts: Sequence[Any]) -> list[str]:
    """Names of the items of a tuple, as paths have them: their labels if these are distinct, else their places."""
    labels = [_label(part) for part in parts]
    return labels if all(labels) and len(set(labels)) == len(labels) else [str(place) for place in range(len(parts))]


def _label(part: Any) -> str:
    """Name of an item of a tuple: its first field if that is text, else empty."""
    first = getattr(part, fields(part)[0].name) if is_dataclass(part) and fields(part) else None
    return first if isinstance(first, str) else ""


def _meant(owner: Any, wrong: str, known: list[str]) -> str:
    """Suggest a similarly named field, else such a field further down, else list all fields."""
    if near := nearest(wrong, known, cutoff=0.5):
        return f"did you mean {near[0]!r}?"
    below = {path.rpartition(".")[2]: path for path in _paths(owner)}
    if near := nearest(wrong, below, cutoff=0.7):
        return f"did you mean {below[near[0]]!r}?"
    return f"it has {', '.join(known)}"


def _paths(owner: Any) -> Iterator[str]:
    for member in fields(owner):
        yield member.name
        value = getattr(owner, member.name)
        if is_dataclass(value):
            yield from (f"{member.name}.{path}" for path in _paths(value))


def _hint(owner: Any, name: str) -> Any:
    """The declared type, or the type of the current value where annotations cannot be resolved at run time."""
    try:
        return get_type_hints(type(owner))[name]
    except NameError:
        current = getattr(owner, name)
        return GenericAlias(tuple, (type(current[0]), ...)) if isinstance(current, tuple) and current else type(current)


def _hint_of_part(hint: Any, owner: tuple[Any, ...], place: int) -> Any:
    """The declared type of an item of a tuple that may itself be optional."""
    for option in get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,):
        if get_origin(option) is tuple:
            kinds = get_args(option)
            return kinds[0] if kinds[-1] is Ellipsis else kinds[place]
    return type(owner[place])


def _parsed(text: str, hint: Any, path: str) -> Any:
    try:
        return _value(text, hint)
    except ValueError as error:
        raise PipelineError(f"{path}: expected {error}, got {text!r}") from None


def _value(text: str, hint: Any) -> Any:
    """Parse a value; raises ValueError that says what was expected."""
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
    for hint in sorted(hints, key=lambda hint: hint is str):  # str accepts any text, so it comes last
        try:
            return _value(text, hint)
        except ValueError as error:
            expected.append(str(error))
    raise ValueError(" or ".join(expected))


def _choice(text: str, choices: dict[str, Any]) -> Any:
    if text not in choices:
        near = nearest(text, choices)
        raise ValueError(f"one of {', '.join(choices)}" + (f" (did you mean {near[0]!r}?)" if near else ""))
    return choices[text]


def _tuple(text: str, hints: tuple[Any, ...]) -> tuple[Any, ...]:
    parts = [part.strip() for part in text.strip("()[]").split(",") if part.strip()]
    if len(hints) == 2 and hints[1] is Ellipsis:
        return tuple(_value(part, hints[0]) for part in parts)
    if len(parts) != len(hints):
        raise ValueError(f"{len(hints)} values separated by commas")
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
        number = float(text)
    except ValueError:
        raise ValueError("a number") from None
    if not isfinite(number):
        raise ValueError("a finite number")
    return number


_SCALARS: dict[Any, Any] = {bool: _bool, int: _int, float: _float, str: str, NoneType: _none}
